import { createHash } from "node:crypto";
import { readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";

/** Larger ones are sent again: nobody waits until they are read. */
const CHECKED_MAX_BYTES = 64 * 1024 * 1024;

/** The files of a folder that still have the content whose hash is their name; others are removed. */
export function wholeBlobs(folder: string): readonly string[] {
  let left = CHECKED_MAX_BYTES;
  return readdirSync(folder).filter((name) => {
    const path = join(folder, name);
    left -= statSync(path).size;
    const isWhole = left >= 0 && createHash("sha256").update(readFileSync(path)).digest("hex") === name;
    if (!isWhole) rmSync(path, { force: true });
    return isWhole;
  });
}
