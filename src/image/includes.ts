import { existsSync, statSync } from "node:fs";
import { posix, resolve } from "node:path";
import { SkyError } from "../errors/sky-error.ts";
import { type Entry, entriesOf } from "../wire/files/entries.ts";
import { hashed, type SyncEntry } from "../wire/files/sync.ts";

/** Files of this computer that tasks find in their working directory. */
export interface Includes {
  /** What their paths are relative to, here. */
  readonly root: string;
  readonly entries: readonly SyncEntry[];
}

/**
 * Paths of `image.includes`, relative to the folder, without "./" and "/" at their end.
 * @throws SkyError SKY_BAD_OPTION for one that is not there, or leads out of the folder
 */
export function checkIncludes(includes: readonly string[], folder: string): readonly string[] {
  return includes.map((given, index) => {
    const path = posix.normalize(given).replace(/\/$/, "");
    const name = `image.includes[${index}]`;
    if (path.startsWith("/") || path === ".." || path.startsWith("../"))
      throw new SkyError("SKY_BAD_OPTION", `${name} must lie in the working directory ${folder}; got "${given}"`, {
        hint: "Start the program where all of its files lie, or send others with pool.files.upload.",
      });
    const at = resolve(folder, path);
    if (!existsSync(at)) throw new SkyError("SKY_BAD_OPTION", `${name}: there is no ${at}`);
    if (!statSync(at).isFile() && !statSync(at).isDirectory())
      throw new SkyError("SKY_BAD_OPTION", `${name}: ${at} is neither a file nor a folder`);
    return path;
  });
}

/** Reads what is to be there, with the hash of each file. @throws Error where a file can't be read */
export async function readIncludes(
  includes: readonly string[],
  excludes: readonly string[],
  root: string,
): Promise<Includes> {
  const found = new Map<string, Entry>();
  for (const path of includes) {
    for (const entry of await entriesOf(resolve(root, path), excludes, path === "." ? "" : path)) {
      const whole = posix.join(path, entry.path).replace(/\/$/, "");
      if (whole !== ".") found.set(whole, { ...entry, path: whole });
    }
  }
  return { root, entries: await hashed(root, [...found.values()]) };
}
