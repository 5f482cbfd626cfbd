import { readFileSync } from "node:fs";

/**
 * The integrity of each package in a yarn.lock of version 1, by `name@version`. It does not say which platform a package
 * is for, so it is no lockfile that npm could install from.
 */
export function yarnIntegrity(path: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const block of readFileSync(path, "utf8").split(/\n\n+/)) {
    const name = /^"?(@?[^@"\s]+)@/m.exec(block)?.[1];
    const version = /^ {2}version "(.+)"$/m.exec(block)?.[1];
    const integrity = /^ {2}integrity (\S+)$/m.exec(block)?.[1];
    if (name !== undefined && version !== undefined && integrity !== undefined)
      found.set(`${name}@${version}`, integrity);
  }
  return found;
}
