import { chmodSync, lstatSync, mkdirSync, rmSync } from "node:fs";
import { SkyError } from "../../errors/sky-error.ts";

/** Makes the run directory, or takes one that nobody else can have prepared. */
export function makeRunDir(dir: string): void {
  try {
    mkdirSync(dir, { mode: 0o700 });
  } catch (cause) {
    if (!(cause instanceof Error && "code" in cause && cause.code === "EEXIST")) {
      throw new SkyError("SKY_AGENT_FAILED", `the run directory ${dir} can't be made: ${String(cause)}`, { cause });
    }
  }
  const stat = lstatSync(dir);
  if (!stat.isDirectory() || stat.uid !== process.getuid?.()) {
    throw new SkyError("SKY_AGENT_FAILED", `the run directory ${dir} belongs to somebody else or is no directory`);
  }
  if ((stat.mode & 0o777) !== 0o700) chmodSync(dir, 0o700);
}

export function removeRunDir(dir: string): void {
  try {
    rmSync(dir, { recursive: true, force: true, maxRetries: 3 });
  } catch {
    // A file system that refuses (full, read-only) must not keep processes alive.
  }
}
