import { createRequire } from "node:module";
import { dirname, extname, join } from "node:path";
import { OriginalMap } from "../capture/source-map.ts";
import { esbuild } from "./esbuild.ts";
import { readManifest } from "./layout.ts";
import { OWN_URL } from "./own-places.ts";

const { cache } = createRequire(import.meta.url);

/** JavaScript that any supported Node runs; 20.19 and not 20, since that keeps import attributes. */
export const TARGET = "node20.19";

export interface Transformed {
  readonly text: string;
  readonly kind: "esm" | "cjs";
  readonly map: OriginalMap;
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
  await Promise.all(
    (["esm", "cjs"] as const).map((kind) =>
      transformAs(
        kind,
        files.filter((file) => file.kind === kind),
        results,
      ),
    ),
  );
  return results;
}

/** CommonJS has no `import.meta`, but tsx gives it one. */
const META = { "import.meta.url": OWN_URL, "import.meta.dirname": "__dirname", "import.meta.filename": "__filename" };

/** On the first line, behind "use strict", so that the others stay where they are. */
function withOwnUrl(text: string): string {
  if (!text.includes(OWN_URL)) return text;
  const declaration = `const ${OWN_URL} = require("node:url").pathToFileURL(__filename).href;`;
  return text.replace(/^("use strict";)?/, (strict) => strict + declaration);
}

async function transformAs(
  kind: "esm" | "cjs",
  files: readonly HomeFile[],
  results: Map<string, Transformed>,
): Promise<void> {
  if (files.length === 0) return;
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
  for (const [index, file] of files.entries()) {
    const output = (name: string): string => outputFiles.find((item) => item.path === name)!.text;
    // Where the file itself came from a compiler and says so, esbuild's map leads to what that was made from.
    results.set(file.path, {
      kind,
      text: withOwnUrl(output(`/${index}.js`)),
      map: new OriginalMap(output(`/${index}.js.map`), `/${index}.js`),
    });
  }
}

/** The same for the entry, which is a text and no file. */
export async function transformText(text: string): Promise<{ readonly text: string; readonly map: string }> {
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
  return { text: code, map };
}
