import { dirname } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { SkyError } from "../errors/sky-error.ts";
import { bodyOf, isFn } from "./brand.ts";
import { type Fn, fn } from "./fn.ts";
import { MODULE, type ModuleExport } from "./module-export.ts";
import type { FnOptions } from "./options.ts";

type AnyFunction = (...args: never) => unknown;

/**
 * A function that ships by its file and export: the node imports the module, and nothing is captured. It works where
 * functions can't be looked into: under Bun and Deno, or in a program that was minified into one scope.
 *
 * ```ts
 * const fit = sky.module<typeof import("./train.js").fit>(import.meta, "./train.js", "fit");
 * await pool.run(fit(0.1));
 * ```
 * @param from `import.meta`, or `__filename` in CommonJS: what the specifier is relative to
 * @param exported @default "default"
 * @throws SkyError SKY_BAD_CALL
 */
export function module<F extends AnyFunction>(
  from: { readonly url: string } | string,
  specifier: string,
  exported = "default",
  options: FnOptions = {},
): Fn<Parameters<F>, Promise<Awaited<ReturnType<F>>>> {
  const url = typeof from === "object" && from !== null ? from.url : from;
  if (typeof url !== "string" || typeof specifier !== "string" || typeof exported !== "string") {
    throw new SkyError("SKY_BAD_CALL", "sky.module takes import.meta, a specifier, and the name of an export.", {
      hint: 'Write sky.module(import.meta, "./train.js", "fit").',
    });
  }
  const file = url.startsWith("file:") ? fileURLToPath(url) : url;
  const where: ModuleExport = { file, specifier, exported };
  const body = async (...args: unknown[]): Promise<unknown> => (await load(where))(...args);
  Object.defineProperty(body, MODULE, { value: where });
  const name = exported === "default" ? specifier : exported;
  return fn(body as never, { name, ...options }) as unknown as Fn<Parameters<F>, Promise<Awaited<ReturnType<F>>>>;
}

/** The function itself, here. */
async function load({ file, specifier, exported }: ModuleExport): Promise<(...args: unknown[]) => unknown> {
  const isPath = /^\.{0,2}\//.test(specifier);
  const target = isPath ? new URL(specifier, pathToFileURL(`${dirname(file)}/`)).href : specifier;
  const loaded = (await import(target)) as Record<string, unknown> & { readonly default?: Record<string, unknown> };
  // The default import of CommonJS is all that it exports.
  const found: unknown = [loaded, loaded.default]
    .map((one) => one?.[exported])
    .find((one) => typeof one === "function");
  if (typeof found === "function") return isFn(found) ? bodyOf(found) : (found as (...args: unknown[]) => unknown);
  throw new SkyError("SKY_BAD_CALL", `${specifier} exports no function ${exported}.\n    named in ${file}`, {
    details: { file, specifier, export: exported },
  });
}
