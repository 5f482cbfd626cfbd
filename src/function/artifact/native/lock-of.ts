import { existsSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import { Installed } from "./installed.ts";
import type { Lock } from "./lock.ts";
import { NpmLock } from "./npm-lock.ts";
import { PnpmLock } from "./pnpm-lock.ts";
import { yarnIntegrity } from "./yarn-integrity.ts";

const READERS: readonly (readonly [name: string, read: (folder: string, name: string) => Lock | undefined])[] = [
  ["npm-shrinkwrap.json", (folder, name) => NpmLock.read(folder, name)],
  ["package-lock.json", (folder, name) => NpmLock.read(folder, name)],
  ["pnpm-lock.yaml", (folder, name) => PnpmLock.read(folder, name)],
];
/** What npm notes of what it installed: of this platform only, so versions and integrity are taken from it. */
const HIDDEN = "node_modules/.package-lock.json";

const locks = new Map<string, readonly Lock[]>();

/** The first that knows an installed package in the version that it has, with the package's key there. */
export function lockOf(root: string, name: string, version: string): { readonly lock: Lock; readonly key: string } {
  const [project] = root.split(`${sep}node_modules${sep}`) as [string];
  for (const lock of locksAbove(project)) {
    const key = lock.find(root, name, version);
    if (key !== undefined && lock.get(key) !== undefined) return { lock, key };
  }
  return { lock: new Installed(() => undefined), key: root };
}

/** The lockfiles of the nearest folder that has one, the better first. */
function locksAbove(folder: string): readonly Lock[] {
  let found = locks.get(folder);
  if (found === undefined) {
    const here = [...locksIn(folder)];
    found = here.length > 0 || dirname(folder) === folder ? here : locksAbove(dirname(folder));
    locks.set(folder, found);
  }
  return found;
}

function* locksIn(folder: string): Generator<Lock> {
  for (const [name, read] of READERS) {
    if (!existsSync(join(folder, name))) continue;
    const lock = read(folder, name);
    if (lock !== undefined) yield lock;
  }
  const yarn = join(folder, "yarn.lock");
  if (existsSync(yarn)) {
    const integrity = yarnIntegrity(yarn);
    yield new Installed((name, version) => integrity.get(`${name}@${version}`));
  } else if (existsSync(join(folder, HIDDEN))) {
    yield new Installed(hiddenIntegrity(folder));
  }
}

function hiddenIntegrity(folder: string): (name: string, version: string) => string | undefined {
  const hidden = NpmLock.read(folder, HIDDEN);
  return (name, version) => {
    const key = hidden?.find(join(folder, "node_modules", name), name, version);
    return key === undefined ? undefined : hidden?.get(key)?.integrity;
  };
}
