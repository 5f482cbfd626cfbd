import { readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import type { Lock, LockedPackage } from "./lock.ts";

/** What npm writes of one package. */
interface NpmEntry {
  readonly name?: string;
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly link?: boolean;
  readonly inBundle?: boolean;
  readonly hasInstallScript?: boolean;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

/** package-lock.json and npm-shrinkwrap.json of lockfileVersion 2 and 3, whose keys are folders. */
export class NpmLock implements Lock {
  readonly complete = true;
  readonly #folder: string;
  readonly #entries: Readonly<Record<string, NpmEntry>>;

  private constructor(folder: string, entries: Readonly<Record<string, NpmEntry>>) {
    this.#folder = folder;
    this.#entries = entries;
  }

  /** Undefined for a file of another format. */
  static read(folder: string, name: string): NpmLock | undefined {
    const { packages } = JSON.parse(readFileSync(join(folder, name), "utf8")) as {
      packages?: Record<string, NpmEntry>;
    };
    return packages === undefined ? undefined : new NpmLock(folder, packages);
  }

  find(root: string, _name: string, version: string): string | undefined {
    const key = relative(this.#folder, root).split(sep).join("/");
    return this.#entries[key]?.version === version ? key : undefined;
  }

  get(key: string): LockedPackage | undefined {
    const entry = this.#entries[key];
    if (entry?.version === undefined) return undefined;
    const { version, integrity, resolved, os, cpu, libc, hasInstallScript } = entry;
    const optional = this.#resolve(key, entry.optionalDependencies);
    // npm lists optional dependencies among the others where an author did.
    const dependencies = this.#resolve(key, { ...entry.peerDependencies, ...entry.dependencies });
    for (const name of optional.keys()) dependencies.delete(name);
    const name = entry.name ?? key.slice(key.lastIndexOf("node_modules/") + "node_modules/".length);
    return { name, version, integrity, resolved, os, cpu, libc, hasInstallScript, dependencies, optional };
  }

  #resolve(from: string, names: Readonly<Record<string, string>> = {}): Map<string, string> {
    const found = new Map<string, string>();
    for (const name of Object.keys(names)) {
      const key = this.#lookUp(from, name);
      if (key !== undefined && this.#entries[key]?.inBundle !== true) found.set(name, key);
    }
    return found;
  }

  /** As Node finds it: in the package's own folder, then in those above. */
  #lookUp(from: string, name: string): string | undefined {
    for (let base = from; ; base = parent(base)) {
      const key = base === "" ? `node_modules/${name}` : `${base}/node_modules/${name}`;
      const entry = this.#entries[key];
      if (entry !== undefined) return entry.link === true ? undefined : key;
      if (base === "") return undefined;
    }
  }
}

/** `a/node_modules/b/node_modules/c` -> `a/node_modules/b` -> `a` -> `` */
function parent(key: string): string {
  const at = key.lastIndexOf("/node_modules/");
  if (at >= 0) return key.slice(0, at);
  return key.startsWith("node_modules/") || !key.includes("/") ? "" : key.slice(0, key.lastIndexOf("/"));
}
