import type { InstallPlan } from "../../../wire/install-plan.ts";
import type { ListedPackage } from "./listed.ts";
import { closureOf, type Lock, type LockedPackage } from "./lock.ts";
import { place, type PlacedPackage } from "./place.ts";

const NAME = "skyward-deps";

export interface PlanOf {
  /** The name that it is imported by. */
  readonly name: string;
  /** Whether a package's install scripts may run. */
  readonly maySetUp: (name: string, version: string) => boolean;
  readonly lock: Lock;
  readonly key: string;
  /** Whether it is compiled where it is installed, since it brings nothing that was made before. */
  readonly built: boolean;
}

/** How one package is installed with all that it needs. */
export function installPlan({ name, maySetUp, lock, key, built }: PlanOf): InstallPlan {
  const all = [...closureOf(lock, key).values()];
  const own = all[0]!;
  const scripts = all
    .filter((item) => item.hasInstallScript === true || item === own)
    .filter((item) => maySetUp(item.name, item.version))
    .map((item) => item.name);
  const manifest = manifestOf(name, own.name === name ? own.version : `npm:${own.name}@${own.version}`, scripts);
  return {
    name,
    version: own.version,
    ...(lock.complete
      ? { manifest, lock: npmLock(manifest, place(lock, key, name)) }
      : { manifest: { ...manifest, overrides: overrides(all.slice(1)) }, integrity: integrity(all) }),
    scripts,
    ...(built && !scripts.includes(own.name) ? { unlisted: true } : {}),
  };
}

/** How a package is installed that no lockfile here knows in that version: npm chooses what it needs. */
export function listedPlan({ name, version = "latest", scripts }: ListedPackage): InstallPlan {
  const allowed = scripts ? [name] : [];
  return { name, version, manifest: manifestOf(name, version, allowed), scripts: allowed };
}

interface PlanManifest {
  readonly dependencies: Readonly<Record<string, string>>;
}

function manifestOf(name: string, version: string, scripts: readonly string[]): PlanManifest {
  return {
    ...{ name: NAME, version: "0.0.0", private: true },
    dependencies: { [name]: version },
    ...(scripts.length > 0 ? { allowScripts: Object.fromEntries(scripts.map((item) => [item, true])) } : {}),
  };
}

function npmLock(manifest: { readonly dependencies: object }, places: ReadonlyMap<string, PlacedPackage>): object {
  const packages = [...places].map(([at, { locked, optional }]) => {
    const folder = at.slice(at.lastIndexOf("node_modules/") + "node_modules/".length);
    const { name, version, resolved, integrity: sum, os, cpu, libc, hasInstallScript } = locked;
    const entry = {
      ...(name === folder ? {} : { name }),
      version,
      resolved: resolved ?? archiveOf(name, version),
      integrity: sum,
      dependencies: exact(locked.dependencies, places, at),
      optionalDependencies: exact(locked.optional, places, at),
      os,
      cpu,
      libc,
      hasInstallScript: hasInstallScript === true ? true : undefined,
      optional: optional ? true : undefined,
    };
    return [at, entry] as const;
  });
  return {
    name: NAME,
    version: "0.0.0",
    lockfileVersion: 3,
    requires: true,
    packages: Object.fromEntries([["", manifest], ...packages]),
  };
}

/** What a package needs, each as the one version that was chosen for it. */
function exact(
  names: ReadonlyMap<string, string>,
  places: ReadonlyMap<string, PlacedPackage>,
  from: string,
): Readonly<Record<string, string>> | undefined {
  const found: [string, string][] = [];
  for (const name of names.keys()) {
    for (let base = from; ; base = base.slice(0, Math.max(0, base.lastIndexOf("/node_modules/")))) {
      const placed = places.get(base === "" ? `node_modules/${name}` : `${base}/node_modules/${name}`);
      if (placed !== undefined) {
        const { name: published, version } = placed.locked;
        found.push([name, published === name ? version : `npm:${published}@${version}`]);
      }
      if (placed !== undefined || base === "") break;
    }
  }
  return found.length === 0 ? undefined : Object.fromEntries(found);
}

/** Where the public registry has an archive: npm puts the configured registry in its place. */
function archiveOf(name: string, version: string): string {
  return `https://registry.npmjs.org/${name}/-/${name.slice(name.indexOf("/") + 1)}-${version}.tgz`;
}

/** The versions of all that a package needs, but of those that are there in several. */
function overrides(needed: readonly LockedPackage[]): Readonly<Record<string, string>> {
  const versions = new Map<string, string | undefined>();
  for (const { name, version } of needed) versions.set(name, versions.has(name) ? undefined : version);
  return Object.fromEntries([...versions].filter((item): item is [string, string] => item[1] !== undefined));
}

function integrity(all: readonly LockedPackage[]): Readonly<Record<string, string>> {
  const known = all.flatMap(({ name, version, integrity: sum }) =>
    sum === undefined ? [] : [[`${name}@${version}`, sum] as const],
  );
  return Object.fromEntries(known);
}
