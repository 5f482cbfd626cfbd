import { existsSync, readFileSync, realpathSync } from "node:fs";
import { basename, dirname, extname, join, posix, relative, sep } from "node:path";
import { hashOf } from "./store.ts";

const LOCKS = [
  "package-lock.json",
  "npm-shrinkwrap.json",
  "pnpm-lock.yaml",
  "pnpm-workspace.yaml",
  "yarn.lock",
  "bun.lock",
  "bun.lockb",
];
const EMITTED: Readonly<Record<string, string>> = {
  ".ts": ".js",
  ".tsx": ".js",
  ".jsx": ".js",
  ".mts": ".mjs",
  ".cts": ".cjs",
};

const roots = new Map<string, string>();

/** The project that a file belongs to: the nearest folder with a lockfile or workspaces, else the nearest package. */
export function projectRoot(file: string): string {
  const start = dirname(file);
  let root = roots.get(start);
  if (root === undefined) {
    root = findRoot(start);
    roots.set(start, root);
  }
  return root;
}

function findRoot(start: string): string {
  let nearest: string | undefined;
  for (let folder = start; ; folder = dirname(folder)) {
    const manifest = join(folder, "package.json");
    const hasManifest = existsSync(manifest);
    if (LOCKS.some((name) => existsSync(join(folder, name))) || (hasManifest && "workspaces" in readManifest(manifest)))
      return folder;
    if (hasManifest) nearest ??= folder;
    if (dirname(folder) === folder) return nearest ?? start;
  }
}

export interface Manifest {
  readonly name?: string;
  readonly version?: string;
  readonly type?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly [key: string]: unknown;
}

const manifests = new Map<string, Manifest>();

/** A package.json, read once; `{}` where it can't be read. */
export function readManifest(path: string): Manifest {
  let manifest = manifests.get(path);
  if (manifest === undefined) {
    try {
      manifest = JSON.parse(readFileSync(path, "utf8")) as Manifest;
    } catch {
      manifest = {};
    }
    manifests.set(path, manifest);
  }
  return manifest;
}

/** Whether a file belongs to an installed package, not to the user. */
export function isPackageFile(file: string): boolean {
  return file.includes(`${sep}node_modules${sep}`);
}

/** `/p/node_modules/@a/b/lib/x.js` -> `/p/node_modules/@a/b` */
export function packageRoot(file: string): string {
  const marker = `${sep}node_modules${sep}`;
  const at = file.lastIndexOf(marker) + marker.length;
  const [first = "", second = ""] = file.slice(at).split(sep);
  return file.slice(0, at) + (first.startsWith("@") ? `${first}${sep}${second}` : first);
}

/** Where the files of one project lie in the tree. */
export class Layout {
  readonly root: string;

  constructor(root: string) {
    this.root = root;
  }

  /** The place of a file of home, by its real path. */
  place(file: string): string {
    const inside = relative(this.root, file);
    if (!inside.startsWith("..") && inside !== "") return inside.split(sep).join("/");
    // Outside: beside everything else of its own project, so that what is relative between them stays so.
    const base = isPackageFile(file) ? file.slice(0, file.indexOf(`${sep}node_modules${sep}`)) : projectRoot(file);
    return posix.join("__outside", hashOf(base).slice(0, 8), relative(base, file).split(sep).join("/"));
  }

  /** The place of what is emitted for a user's file. */
  emittedPlace(file: string): string {
    const place = this.place(file);
    const emitted = emittedName(file);
    if (emitted === file) return place;
    if (existsSync(emitted)) return `${place}${extname(emitted)}`;
    return place.slice(0, -extname(file).length) + extname(emitted);
  }
}

/** The name that compilers give to what they make of a file. */
export function emittedName(file: string): string {
  const extension = extname(file);
  const emitted = EMITTED[extension];
  if (emitted === undefined || /\.d\.[cm]?ts$/.test(file)) return file;
  return file.slice(0, -extension.length) + emitted;
}

/** `./x.js` as a module at `from` has to write it to mean the module at `to`; both are places in the tree. */
export function relativeSpecifier(from: string, to: string): string {
  const path = posix.relative(posix.dirname(from), to);
  return path.startsWith("../") ? path : `./${path}`;
}

/** The package that a bare specifier names: `@a/b/c` -> `@a/b`; undefined for paths, `#imports` and URLs. */
export function packageNameOf(specifier: string): string | undefined {
  return /^(@[^/]+\/[^/]+|[^./#:@][^/:]*)(\/|$)/.exec(specifier)?.[1];
}

interface FoundPackage {
  readonly written: string;
  readonly real: string;
}

const packages = new Map<string, FoundPackage | undefined>();

/** Where a package that `from` imports by name lies, by Node's rule: as written, and really. */
export function findPackage(name: string, from: string): FoundPackage | undefined {
  return findFrom(name, dirname(from));
}

function findFrom(name: string, folder: string): FoundPackage | undefined {
  const key = `${folder}\0${name}`;
  if (packages.has(key)) return packages.get(key);
  const written = join(folder, "node_modules", name);
  const here = basename(folder) !== "node_modules" && existsSync(written);
  const parent = dirname(folder);
  const found = here
    ? { written, real: realpathSync(written) }
    : parent === folder
      ? undefined
      : findFrom(name, parent);
  packages.set(key, found);
  return found;
}
