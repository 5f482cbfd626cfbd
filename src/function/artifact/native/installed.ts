import { join } from "node:path";
import { findPackage, readManifest } from "../layout.ts";
import type { Lock, LockedPackage } from "./lock.ts";

/**
 * What is installed here, where no lockfile tells: keys are folders. It knows nothing of the packages of other platforms,
 * and no integrity but what `integrityOf` tells.
 */
export class Installed implements Lock {
  readonly complete = false;
  readonly #integrityOf: (name: string, version: string) => string | undefined;

  constructor(integrityOf: (name: string, version: string) => string | undefined) {
    this.#integrityOf = integrityOf;
  }

  find(root: string): string {
    return root;
  }

  get(key: string): LockedPackage | undefined {
    const { name, version, ...manifest } = readManifest(join(key, "package.json"));
    if (name === undefined || version === undefined) return undefined;
    const optional = resolve(key, manifest.optionalDependencies);
    const peers = manifest["peerDependencies"] as Readonly<Record<string, string>> | undefined;
    const dependencies = resolve(key, { ...peers, ...manifest.dependencies });
    for (const each of optional.keys()) dependencies.delete(each);
    const { install, preinstall, postinstall } = (manifest["scripts"] ?? {}) as Readonly<Record<string, string>>;
    return {
      name,
      version,
      integrity: this.#integrityOf(name, version),
      hasInstallScript: Boolean(install ?? preinstall ?? postinstall),
      os: manifest.os,
      cpu: manifest.cpu,
      dependencies,
      optional,
    };
  }
}

function resolve(root: string, names: Readonly<Record<string, string>> = {}): Map<string, string> {
  const found = new Map<string, string>();
  for (const name of Object.keys(names)) {
    const real = findPackage(name, join(root, "package.json"))?.real;
    if (real !== undefined) found.set(name, real);
  }
  return found;
}
