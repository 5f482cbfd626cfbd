import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, extname, join } from "node:path";
import { OriginalMap, type Place } from "../capture/source-map.ts";
import { type CompilerOptions, compilerOptionsOf } from "./compiler-options.ts";
import { esbuild } from "./esbuild.ts";
import { readManifest } from "./layout.ts";
import { OWN_URL } from "./own-places.ts";
import { referencesIn, type References } from "./references.ts";
import { contentOf, isUnchangedSince } from "../cache/contents.ts";
import { openCache } from "../cache/open-cache.ts";
import { cacheKey } from "../cache/tools.ts";

const { cache } = createRequire(import.meta.url);

/** JavaScript that any supported Node runs; 20.19 and not 20, since that keeps import attributes. */
export const TARGET = "node20.19";

export interface Transformed {
  readonly text: string;
  readonly kind: "esm" | "cjs";
  readonly references: References;
  /** From a position in the text (counted from 0) to what the user wrote. */
  original(line: number, column: number): Place | undefined;
}

/** As it is kept from process to process. */
interface Kept {
  readonly text: string;
  readonly map: string;
  readonly references: References;
}

/** A user's file and what it is at home. */
export interface HomeFile {
  readonly path: string;
  readonly kind: "esm" | "cjs";
}

/**
 * The format in which a file ran at home, which the node must keep: named imports of a CommonJS package work only from
 * CommonJS. `syntax` is what the file is written in; `runner` what the function's own module ran as.
 */
export function homeKind(path: string, syntax: "esm" | "cjs" | undefined, runner: "esm" | "cjs"): "esm" | "cjs" {
  const extension = extname(path);
  if (extension === ".mts" || extension === ".mjs") return "esm";
  if (extension === ".cts" || extension === ".cjs") return "cjs";
  const type = nearestType(path);
  if (type === "module") return "esm";
  if (syntax !== "esm") return "cjs";
  // Written with import, in a package that doesn't say: Node runs it as ESM, tsx as CommonJS.
  if (cache[path] !== undefined) return "cjs";
  return type === "commonjs" ? "cjs" : runner;
}

function nearestType(path: string): string | undefined {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    const manifest = readManifest(join(folder, "package.json"));
    if (Object.keys(manifest).length > 0) return manifest.type;
    if (dirname(folder) === folder) return undefined;
  }
}

/** Turns users' files into JavaScript, each for itself, by the tsconfig that each has at home. */
export async function transformFiles(files: readonly HomeFile[]): Promise<Map<string, Transformed>> {
  const results = new Map<string, Transformed>();
  const inputs = inputsOf(files);
  const fresh: HomeFile[] = [];
  for (const file of files) {
    const kept = recall(inputs.get(file.path)?.key);
    if (kept === undefined) fresh.push(file);
    else results.set(file.path, transformed(kept, file.kind));
  }
  await Promise.all(
    (["esm", "cjs"] as const).map(async (kind) => {
      const startedMs = Date.now();
      const same = fresh.filter((file) => file.kind === kind);
      for (const [path, kept] of await transformAs(kind, same)) {
        results.set(path, transformed(kept, kind));
        const from = inputs.get(path);
        if (from?.files.every((one) => isUnchangedSince(one, startedMs)) === true)
          openCache()?.put(from.key, () => Buffer.from(JSON.stringify(kept)));
      }
    }),
  );
  return results;
}

interface TransformInputs {
  /** Of all that a file's text is made from. */
  readonly key: string;
  /** The files that it stands for. */
  readonly files: readonly string[];
}

function inputsOf(files: readonly HomeFile[]): Map<string, TransformInputs> {
  const options = new Map<string, CompilerOptions>();
  return new Map(
    files.flatMap(({ path, kind }) => {
      const content = contentOf(path);
      if (content === undefined) return [];
      const folder = dirname(path);
      let config = options.get(folder);
      if (config === undefined) options.set(folder, (config = compilerOptionsOf(folder)));
      const key = cacheKey("transform", path, content.hash, kind, config.digest, nearestType(path) ?? "");
      return [[path, { key, files: [path, ...config.present] }]];
    }),
  );
}

function recall(key: string | undefined): Kept | undefined {
  const bytes = key === undefined ? undefined : openCache()?.get(key);
  return bytes === undefined ? undefined : (JSON.parse(bytes.toString()) as Kept);
}

function transformed({ text, map, references }: Kept, kind: "esm" | "cjs"): Transformed {
  let read: OriginalMap | undefined;
  return {
    text,
    kind,
    references,
    // Where the file itself came from a compiler and says so, esbuild's map leads to what that was made from.
    original: (line, column) => (read ??= new OriginalMap(map, "/0.js")).original(line, column),
  };
}

/** CommonJS has no `import.meta`, but tsx gives it one. */
const META = { "import.meta.url": OWN_URL, "import.meta.dirname": "__dirname", "import.meta.filename": "__filename" };

/** On the first line, behind "use strict", so that the others stay where they are. */
function withOwnUrl(text: string): string {
  if (!text.includes(OWN_URL)) return text;
  const declaration = `const ${OWN_URL} = require("node:url").pathToFileURL(__filename).href;`;
  return text.replace(/^("use strict";)?/, (strict) => strict + declaration);
}

async function transformAs(kind: "esm" | "cjs", files: readonly HomeFile[]): Promise<Map<string, Kept>> {
  const results = new Map<string, Kept>();
  if (files.length === 0) return results;
  const { build } = await esbuild();
  const { outputFiles } = await build({
    // Numbered, so that no two outputs meet under one name.
    entryPoints: files.map((file, index) => ({ in: file.path, out: String(index) })),
    bundle: false,
    write: false,
    outdir: "/",
    ...(kind === "cjs" ? { format: "cjs" as const, define: META } : {}),
    platform: "node",
    target: TARGET,
    keepNames: true,
    sourcemap: "external",
    sourcesContent: false,
    logLevel: "silent",
  });
  const outputs = new Map(outputFiles.map((output) => [output.path, output]));
  for (const [index, file] of files.entries()) {
    const text = withOwnUrl(outputs.get(`/${index}.js`)!.text) + exportNames(file);
    results.set(file.path, { text, map: outputs.get(`/${index}.js.map`)!.text, references: referencesIn(text, kind) });
  }
  return results;
}

/** Where a compiler tells Node the names of a CommonJS module's exports, by words that do nothing, esbuild drops them. */
function exportNames({ path, kind }: HomeFile): string {
  if (kind === "esm" || !path.endsWith("js")) return "";
  return /^0 && \(module\.exports = \{[^{}]*\}\);?$/m.exec(readFileSync(path, "utf8"))?.[0] ?? "";
}

/** The same for the entry, which is a text and no file. */
export async function transformText(text: string): Promise<{ readonly text: string; readonly map: string }> {
  const cache = openCache();
  const key = cacheKey("text", text);
  const kept = cache?.get(key);
  if (kept !== undefined) return JSON.parse(kept.toString()) as { readonly text: string; readonly map: string };
  const { transform } = await esbuild();
  const { code, map } = await transform(text, {
    loader: "js",
    platform: "node",
    target: TARGET,
    keepNames: !text.includes("__name"),
    sourcemap: "external",
    sourcefile: "entry.js",
    sourcesContent: false,
    logLevel: "silent",
  });
  const made = { text: code, map };
  cache?.put(key, () => Buffer.from(JSON.stringify(made)));
  return made;
}
