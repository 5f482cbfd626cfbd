import { existsSync, readFileSync } from "node:fs";
import { dirname, extname, join } from "node:path";
import type { Loader, TransformOptions } from "esbuild";

const LOADERS: Readonly<Record<string, Loader>> = {
  ".ts": "ts",
  ".mts": "ts",
  ".cts": "ts",
  ".tsx": "tsx",
  ".jsx": "jsx",
};
/** What compilers make of a file, and so what imports of it are written as. */
const WRITTEN: Readonly<Record<string, readonly string[]>> = {
  ".js": [".ts", ".tsx"],
  ".mjs": [".mts"],
  ".cjs": [".cts"],
};
const LEFT_OUT = [".ts", ".tsx", "/index.ts"];

export const EXTENSIONS: readonly string[] = Object.keys(LOADERS);

/** How esbuild has to read a file; undefined for what Node takes as it is. */
export function transformOf(file: string): TransformOptions | undefined {
  const loader = LOADERS[extname(file)];
  if (loader === undefined) return undefined;
  return {
    loader,
    format: formatOf(file) === "module" ? "esm" : "cjs",
    target: `node${process.versions.node}`,
    platform: "node",
    keepNames: true,
    sourcemap: "inline",
    sourcefile: file,
  };
}

/** The file that `/p/x.js`, or `/p/x`, stands for. */
export function sourceFileOf(path: string): string | undefined {
  const extension = extname(path);
  const endings = WRITTEN[extension];
  const stem = endings === undefined ? path : path.slice(0, -extension.length);
  return (endings ?? LEFT_OUT).map((ending) => stem + ending).find((file) => existsSync(file));
}

/** What Node would run the file as, were it JavaScript. */
export function formatOf(file: string): "module" | "commonjs" {
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
