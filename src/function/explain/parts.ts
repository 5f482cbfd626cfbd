import { join, relative } from "node:path";
import { ByteWriter } from "../../values/byte-writer.ts";
import { encode } from "../../values/encode.ts";
import type { Artifact } from "../artifact/artifact.ts";
import { isPackageFile, packageRoot, readManifest } from "../artifact/layout.ts";
import type { Reached } from "../artifact/reach.ts";
import type { Slot } from "../capture/slot.ts";
import type {
  ExplainedExternal,
  ExplainedFile,
  ExplainedPackage,
  ExplainedSource,
  ExplainedValue,
} from "./explanation.ts";
import { typeOf } from "./type-of.ts";
import { warnOfRequire, warnOfScript, warnOfSize } from "./warnings.ts";

/** A helper that esbuild puts into what it compiles, and that no user wrote. */
const COMPILERS_OWN = "__name";

/** The data that the function captures; `values` is what would be sent of it now, by the names that capture gave. */
export function valuesOf(slots: readonly Slot[], values: Readonly<Record<string, unknown>>): ExplainedValue[] {
  const found = slots.flatMap(({ item, reader, emitted, preferred }): ExplainedValue[] => {
    if (item.kind !== "value" || reader === undefined) return [];
    const name = emitted ?? preferred;
    const size = encodedSize(name in values ? values[name] : reader.value);
    return [{ name: reader.path.last, type: typeOf(reader.value), size, why: reader.path.toString() }];
  });
  return found.sort(bySize);
}

/** @throws SkyError SKY_VALUE_UNSERIALIZABLE, SKY_VALUE_LIMIT */
export function encodedSize(value: unknown): number {
  const writer = new ByteWriter(1024);
  encode(value, writer);
  return writer.pos;
}

export function sourcesOf(slots: readonly Slot[]): ExplainedSource[] {
  return slots.flatMap(({ item, preferred }): ExplainedSource[] => {
    if (item.kind !== "source" || item.value.name === COMPILERS_OWN) return [];
    const { file, line } = item.module.original(item.start);
    const kind = item.node.type.startsWith("Class") ? "class" : "function";
    return [{ name: item.value.name || preferred, kind, file, line }];
  });
}

/** The user's files among those that travel, with those that are made for the function. */
export function filesOf(name: string, artifact: Artifact, reached: readonly Reached[]): ExplainedFile[] {
  const known = new Set(reached.map((item) => item.path));
  const made = artifact.files.filter((file) => !known.has(file.path));
  const own = reached.filter((item) => !isPackageFile(item.file));
  return [
    ...made.map(({ path, size }) => ({
      path,
      size,
      why: path === artifact.entry ? `${name} and what it captures` : "declarations that functions share",
    })),
    ...own.map(({ file, size, chain }) => ({
      path: relative(artifact.root, file),
      size,
      why: chain.length > 0 ? way(name, chain) : reasonOf(file),
    })),
  ].sort(bySize);
}

/** The installed packages of which files travel, and what is worth a warning about them. */
export function packagesOf(
  name: string,
  reached: readonly Reached[],
): { readonly packages: ExplainedPackage[]; readonly warnings: string[] } {
  const groups = new Map<string, Reached[]>();
  for (const item of reached) {
    if (!isPackageFile(item.file)) continue;
    const root = packageRoot(item.file);
    const group = groups.get(root);
    if (group === undefined) groups.set(root, [item]);
    else group.push(item);
  }
  const warnings: string[] = [];
  const packages = [...groups].map(([root, items]): ExplainedPackage => {
    const manifest = readManifest(join(root, "package.json"));
    const looking = items.find((item) => item.looks);
    const chain = items.map((item) => item.chain).filter((item) => item.length > 0);
    const first = chain.sort((a, b) => a.length - b.length)[0];
    const found: ExplainedPackage = {
      name: manifest.name ?? root,
      version: manifest.version ?? "",
      files: items.length,
      size: items.reduce((sum, item) => sum + item.size, 0),
      whole: looking !== undefined,
      why: first === undefined ? `a dependency of a package that travels whole` : way(name, first),
    };
    if (looking !== undefined) warnings.push(...warnOfSize(found, looking.file));
    warnings.push(
      ...items
        .filter((item) => item.chain.length > 0)
        .flatMap((item) => warnOfRequire(found.name, item.file))
        .slice(0, 1),
    );
    return found;
  });
  return { packages: packages.sort(bySize), warnings };
}

/** The packages that are installed where the function runs, and what is worth a warning about them. */
export function externalsOf(
  name: string,
  { externals }: Artifact,
  wayTo: (root: string) => readonly string[],
): { readonly externals: ExplainedExternal[]; readonly warnings: string[] } {
  const found = externals.map(({ name: packageName, version, integrity, why, home }): ExplainedExternal => ({
    name: packageName,
    version,
    ...(integrity === undefined ? {} : { integrity }),
    native: why,
    why: way(name, home === undefined ? [packageName] : wayTo(home)),
  }));
  return {
    externals: found.sort((a, b) => (a.name < b.name ? -1 : 1)),
    warnings: externals.filter((external) => external.unlisted).map(warnOfScript),
  };
}

function reasonOf(file: string): string {
  return file.endsWith("package.json") ? "says how its folder's modules are read" : "named by a path, or by include";
}

function way(name: string, chain: readonly string[]): string {
  return [name, ...chain].join(" -> ");
}

function bySize(a: { readonly size: number }, b: { readonly size: number }): number {
  return b.size - a.size;
}
