// Hooks of Node's module loader, in the thread that it gives them.
import { readFile } from "node:fs/promises";
import type { LoadHook, ResolveHook } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import { transform } from "esbuild";
import { formatOf, sourceFileOf, transformOf } from "./source-file.ts";

export const resolve: ResolveHook = async (specifier, context, next) => {
  try {
    return await next(specifier, context);
  } catch (error) {
    if (!/^(\.\.?\/|file:)/.test(specifier)) throw error;
    const file = sourceFileOf(fileURLToPath(new URL(specifier, context.parentURL)));
    if (file === undefined) throw error;
    return { url: pathToFileURL(file).href, shortCircuit: true };
  }
};

export const load: LoadHook = async (url, context, next) => {
  const file = url.startsWith("file:") ? fileURLToPath(url) : "";
  const options = transformOf(file);
  if (options === undefined) return next(url, context);
  // CommonJS without a source: Node then takes its own way, through the extensions that register.ts added.
  if (formatOf(file) === "commonjs") return { format: "commonjs", shortCircuit: true };
  const { code } = await transform(await readFile(file, "utf8"), options);
  return { format: "module", source: code, shortCircuit: true };
};
