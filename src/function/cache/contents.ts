import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";

export interface Content {
  readonly bytes: Buffer;
  /** sha256 in hex. */
  readonly hash: string;
  /** When it was read, in milliseconds of the clock. */
  readonly readAt: number;
}

/** The clock of files is coarser than ours. */
const COARSE_MS = 10;

const contents = new Map<string, Content>();

/** A file's content, read once in a process, as a program reads each of its files once; undefined where there is none. */
export function contentOf(file: string): Content | undefined {
  let content = contents.get(file);
  if (content === undefined) {
    const readAt = Date.now();
    try {
      const bytes = readFileSync(file);
      content = { bytes, hash: createHash("sha256").update(bytes).digest("hex"), readAt };
    } catch {
      return undefined;
    }
    contents.set(file, content);
  }
  return content;
}

/**
 * Whether a file or folder is what it was at a moment, and what was read of it since: then whatever read it after that
 * moment saw the same.
 */
export function isUnchangedSince(path: string, atMs: number): boolean {
  const stats = statSync(path, { throwIfNoEntry: false });
  const since = Math.min(atMs, contents.get(path)?.readAt ?? atMs);
  return stats !== undefined && stats.ctimeMs < since - COARSE_MS;
}
