import { join } from "node:path";
import type { Lock, LockedPackage } from "./lock.ts";
import { readYaml } from "./read-yaml.ts";

interface PnpmEntry {
  readonly resolution?: { readonly integrity?: string; readonly tarball?: string };
  readonly requiresBuild?: boolean;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

type Entries = ReadonlyMap<string, PnpmEntry>;

/** pnpm-lock.yaml of version 6 and 9, whose keys are `name@version(peer@version)`. */
export class PnpmLock implements Lock {
  readonly complete = true;
  /** What a package needs, by key. */
  readonly #snapshots: Entries;
  /** What it is: without the peers in version 9. */
  readonly #packages: Entries;

  private constructor(snapshots: Entries, packages: Entries) {
    this.#snapshots = snapshots;
    this.#packages = packages;
  }

  /** Undefined for another version. */
  static read(folder: string, name: string): PnpmLock | undefined {
    const { lockfileVersion, packages, snapshots } = readYaml(join(folder, name)) as {
      readonly lockfileVersion?: string | number;
      readonly packages?: Readonly<Record<string, PnpmEntry>>;
      readonly snapshots?: Readonly<Record<string, PnpmEntry>>;
    };
    if (!/^[69]\./.test(String(lockfileVersion)) || packages === undefined) return undefined;
    return new PnpmLock(entriesOf(snapshots ?? packages), entriesOf(packages));
  }

  find(_root: string, name: string, version: string): string | undefined {
    const plain = `${name}@${version}`;
    if (this.#snapshots.has(plain)) return plain;
    return [...this.#snapshots.keys()].find((key) => key.startsWith(`${plain}(`));
  }

  get(key: string): LockedPackage | undefined {
    const snapshot = this.#snapshots.get(key);
    const plain = key.replace(/\(.*$/, "");
    const entry = this.#packages.get(plain) ?? this.#packages.get(key);
    const [, name, version] = /^(@?[^@]+)@(\d.*)$/.exec(plain) ?? [];
    if (snapshot === undefined || entry === undefined || name === undefined || version === undefined) return undefined;
    const { os, cpu, libc, requiresBuild: hasInstallScript, resolution } = entry;
    return {
      name,
      version,
      integrity: resolution?.integrity,
      resolved: resolution?.tarball,
      os,
      cpu,
      libc,
      hasInstallScript,
      dependencies: keysOf(snapshot.dependencies),
      optional: keysOf(snapshot.optionalDependencies),
    };
  }
}

/** Keys of version 6 begin with a slash. */
function entriesOf(entries: Readonly<Record<string, PnpmEntry>>): Entries {
  return new Map(Object.entries(entries).map(([key, entry]) => [withoutSlash(key), entry ?? {}]));
}

function keysOf(names: Readonly<Record<string, string>> = {}): Map<string, string> {
  return new Map(
    Object.entries(names).map(([name, value]) => [name, /^\d/.test(value) ? `${name}@${value}` : withoutSlash(value)]),
  );
}

function withoutSlash(key: string): string {
  return key.startsWith("/") ? key.slice(1) : key;
}
