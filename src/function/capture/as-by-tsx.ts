import module, { createRequire } from "node:module";
import { dirname } from "node:path";
import type * as Esbuild from "esbuild";
import { compilerOptionsOf } from "../artifact/compiler-options.ts";
import { contentOf, isUnchangedSince } from "../cache/contents.ts";
import { openCache } from "../cache/open-cache.ts";
import { cacheKey } from "../cache/tools.ts";

const require = createRequire(import.meta.url);

/** A file's text as a program runs it, and the map that leads back. */
export interface Transformed {
  readonly text: string;
  readonly map: string;
}

/** What was made before it was asked for, by key. */
const ahead = new Map<string, Transformed>();

/**
 * What tsx makes of a file.
 * @throws Error where esbuild can't read it
 */
export function transformedAsByTsx(file: string, kind: "esm" | "cjs"): Transformed {
  const key = keyOf(file, kind);
  const known = ahead.get(key) ?? recall(key);
  if (known !== undefined) return known;
  const startedMs = Date.now();
  const { buildSync } = require("esbuild") as typeof Esbuild;
  return keep(file, key, startedMs, buildSync(optionsFor(file, kind)));
}

/** Does the same in the background for a file that is likely to be asked for: it takes a process of its own otherwise. */
export async function transformAhead(file: string): Promise<void> {
  if (module.findSourceMap(file) === undefined) return; // nobody but Node has compiled it
  const kind = require.cache[file] === undefined ? "esm" : "cjs";
  const key = keyOf(file, kind);
  if (recall(key) !== undefined) return;
  const startedMs = Date.now();
  const { build } = await import("esbuild");
  ahead.set(key, keep(file, key, startedMs, await build(optionsFor(file, kind))));
}

type Options = Esbuild.BuildOptions & { readonly write: false };

function optionsFor(file: string, kind: "esm" | "cjs"): Options {
  return {
    entryPoints: [file],
    bundle: false,
    write: false,
    outdir: "/",
    format: kind,
    target: `node${process.versions.node}`,
    platform: kind === "cjs" ? "node" : "neutral",
    minifyWhitespace: true,
    keepNames: true,
    sourcemap: "external",
    logLevel: "silent",
  };
}

function keyOf(file: string, kind: "esm" | "cjs"): string {
  const { digest } = compilerOptionsOf(dirname(file));
  return cacheKey("as by tsx", file, contentOf(file)?.hash ?? "", kind, digest, process.versions.node);
}

function recall(key: string): Transformed | undefined {
  const kept = openCache()?.get(key);
  return kept === undefined ? undefined : (JSON.parse(kept.toString()) as Transformed);
}

function keep(
  file: string,
  key: string,
  startedMs: number,
  { outputFiles }: Esbuild.BuildResult<Options>,
): Transformed {
  const text = outputFiles.find((output) => !output.path.endsWith(".map"))!.text;
  const map = outputFiles.find((output) => output.path.endsWith(".map"))!.text;
  openCache()?.put(key, () => {
    const from = [file, ...compilerOptionsOf(dirname(file)).present];
    return from.every((one) => isUnchangedSince(one, startedMs))
      ? Buffer.from(JSON.stringify({ text, map }))
      : undefined;
  });
  return { text, map };
}
