// Module hooks for a project in TypeScript that has no loader of its own: each file is transformed by esbuild.
import { existsSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { LoadHook, ResolveHook } from "node:module";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Loader, transform } from "esbuild";

const LOADERS: Readonly<Record<string, Loader>> = { ".ts": "ts", ".mts": "ts", ".cts": "ts", ".tsx": "tsx", ".jsx": "jsx" };
/** What compilers make of a file, and so what imports of it are written as. */
const WRITTEN: Readonly<Record<string, readonly string[]>> = { ".js": [".ts", ".tsx"], ".mjs": [".mts"], ".cjs": [".cts"] };

export const resolve: ResolveHook = async (specifier, context, next) => {
  try {
    return await next(specifier, context);
  } catch (error) {
    const url = sourceOf(specifier, context.parentURL);
    if (url === undefined) throw error;
    return { url, shortCircuit: true };
  }
};

/** The TypeScript file that `./x.js` or `./x` stands for. */
function sourceOf(specifier: string, parent: string | undefined): string | undefined {
  if (!/^(\.\.?\/|file:)/.test(specifier)) return undefined;
  const url = new URL(specifier, parent);
  const extension = extname(url.pathname);
  const endings = WRITTEN[extension] ?? ["", ".ts", ".tsx", "/index.ts"].slice(1);
  const stem = WRITTEN[extension] === undefined ? url.pathname : url.pathname.slice(0, -extension.length);
  return endings.map((ending) => new URL(`file://${stem}${ending}`)).find((file) => existsSync(file))?.href;
}

export const load: LoadHook = async (url, context, next) => {
  const loader = url.startsWith("file:") ? LOADERS[extname(new URL(url).pathname)] : undefined;
  if (loader === undefined) return next(url, context);
  const file = fileURLToPath(url);
  const format = formatOf(file);
  const { code } = await transform(await readFile(file, "utf8"), {
    loader,
    format: format === "module" ? "esm" : "cjs",
    target: `node${process.versions.node}`,
    platform: "node",
    keepNames: true,
    sourcemap: "inline",
    sourcefile: file,
  });
  return { format, source: code, shortCircuit: true };
};

function formatOf(file: string): "module" | "commonjs" {
  const extension = extname(file);
  if (extension === ".mts" || extension === ".cts") return extension === ".mts" ? "module" : "commonjs";
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    const manifest = join(folder, "package.json");
    if (existsSync(manifest)) {
      const { type } = JSON.parse(readFileSync(manifest, "utf8")) as { readonly type?: string };
      return type === "module" ? "module" : "commonjs";
    }
    if (dirname(folder) === folder) return "commonjs";
  }
}
