import { createRequire } from "node:module";
import type * as Esbuild from "esbuild";

let loading: Promise<typeof Esbuild> | undefined;

/** esbuild, loaded when it is first needed: it costs some 20 ms that a program without functions must not pay. */
export function esbuild(): Promise<typeof Esbuild> {
  // Jest runs modules where import() does not work.
  loading ??= import("esbuild").catch(() => createRequire(import.meta.url)("esbuild") as typeof Esbuild);
  return loading;
}
