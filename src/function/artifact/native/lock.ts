/** A package as a lockfile, or what is installed, has it. */
export interface LockedPackage {
  /** The name under which it is published. */
  readonly name: string;
  readonly version: string;
  readonly integrity?: string | undefined;
  /** Where its archive is. */
  readonly resolved?: string | undefined;
  readonly os?: readonly string[] | undefined;
  readonly cpu?: readonly string[] | undefined;
  readonly libc?: readonly string[] | undefined;
  readonly hasInstallScript?: boolean | undefined;
  /** Keys of what it needs, by the name that it imports them by. */
  readonly dependencies: ReadonlyMap<string, string>;
  /** The same, of what it can do without. */
  readonly optional: ReadonlyMap<string, string>;
}

/** The exact versions that belong together. */
export interface Lock {
  /** Whether it knows the packages of other platforms too, with all that an installation needs. */
  readonly complete: boolean;
  /** The key of an installed package. */
  find(root: string, name: string, version: string): string | undefined;
  get(key: string): LockedPackage | undefined;
}

/** Every package that one needs, itself first, by key. */
export function closureOf(lock: Lock, key: string): Map<string, LockedPackage> {
  const found = new Map<string, LockedPackage>();
  const open = [key];
  for (let at = open.shift(); at !== undefined; at = open.shift()) {
    const locked = found.has(at) ? undefined : lock.get(at);
    if (locked === undefined) continue;
    found.set(at, locked);
    open.push(...locked.dependencies.values(), ...locked.optional.values());
  }
  return found;
}
