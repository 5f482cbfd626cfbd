import type { BuildOptions, ResolveResult } from "esbuild";
import { esbuild } from "./esbuild.ts";
import type { Start } from "./trace.ts";

export type ResolveOptions = BuildOptions & { readonly write: false };

/** Where imports lead, without a look at what is there; undefined where one of them leads nowhere. */
export async function resolveAll(
  starts: readonly Start[],
  resolveDir: string,
  options: ResolveOptions,
): Promise<readonly ResolveResult[] | undefined> {
  const { build } = await esbuild();
  let found: readonly ResolveResult[] = [];
  await build({
    ...options,
    stdin: { contents: "", resolveDir },
    plugins: [
      {
        name: "resolve",
        setup: ({ onStart, resolve }) => {
          onStart(async () => {
            found = await Promise.all(starts.map(({ specifier, kind }) => resolve(specifier, { resolveDir, kind })));
          });
        },
      },
    ],
  });
  return found.every(({ errors }) => errors.length === 0) ? found : undefined;
}
