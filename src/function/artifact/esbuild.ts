import type * as Esbuild from "esbuild";

let loading: Promise<typeof Esbuild> | undefined;

/** esbuild, loaded when it is first needed: it costs some 20 ms that a program without functions must not pay. */
export function esbuild(): Promise<typeof Esbuild> {
  loading ??= import("esbuild");
  return loading;
}

/**
 * Starts the tools in the background, so that the first function doesn't wait for them. Called when a pool opens;
 * a failure shows itself where the tool is really needed.
 */
export function warm(): void {
  void esbuild()
    .then((tool) => tool.transform(""))
    .catch(() => undefined);
}
