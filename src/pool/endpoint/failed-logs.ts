import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { LoggedLine } from "./node-logs.ts";

/** So much is kept of the logs of failed nodes: what is older, or more, goes when another node fails. */
const KEPT_FILES = 50;
const KEPT_BYTES = 64 * 1024 * 1024;
const KEPT_MS = 14 * 24 * 3600_000;

/** What the log of a failed node begins with. */
export interface FailedNode {
  readonly pool: string;
  readonly node: number;
  readonly machine?: string;
  /** The pool's program. */
  readonly pid: number;
  readonly program?: string;
  /** Milliseconds since the epoch. */
  readonly failedAt: number;
  readonly reason: string;
}

export interface FailedLog extends FailedNode {
  readonly file: string;
}

const folderOf = (dir: string): string => join(dir, "failed-nodes");

/**
 * Writes what a failed node said to a file of this user's, as lines of JSON. At once: the program may be about to end.
 * @returns its path; undefined where it can't be written
 */
export function keepFailedLog(dir: string, failed: FailedNode, lines: readonly LoggedLine[]): string | undefined {
  const folder = folderOf(dir);
  const stamp = new Date(failed.failedAt).toISOString().replaceAll(/[:.]/g, "-");
  const file = join(folder, `${stamp}-${failed.pool}-${failed.pid}-node${failed.node}.jsonl`);
  const end: LoggedLine = { at: failed.failedAt, node: failed.node, stream: "event", line: `failed: ${failed.reason}` };
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const text = [failed, ...lines, end].map((line) => `${JSON.stringify(line)}\n`).join("");
    writeFileSync(file, text, { mode: 0o600, flag: "wx" });
    forgetOld(folder, failed.failedAt);
    return file;
  } catch {
    return undefined;
  }
}

/** All that are kept, the newest first. */
export function failedLogs(dir: string): FailedLog[] {
  return names(folderOf(dir)).flatMap((name) => {
    const file = join(folderOf(dir), name);
    try {
      return [{ ...(JSON.parse(firstLine(readFileSync(file, "utf8"))) as FailedNode), file }];
    } catch {
      // Removed just now, or not ours.
      return [];
    }
  });
}

export function failedLines({ file }: FailedLog): LoggedLine[] {
  const text = readFileSync(file, "utf8");
  const lines = text.slice(firstLine(text).length + 1).split("\n");
  return lines.flatMap((line) => (line === "" ? [] : [JSON.parse(line) as LoggedLine]));
}

/** Names begin with the time, so their order is the time's. The newest come first. */
function names(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith(".jsonl"))
      .sort()
      .reverse();
  } catch {
    return [];
  }
}

function forgetOld(folder: string, now: number): void {
  let bytes = 0;
  for (const [index, name] of names(folder).entries()) {
    const file = join(folder, name);
    const { size, mtimeMs } = statSync(file);
    bytes += size;
    if (index === 0 || (index < KEPT_FILES && bytes <= KEPT_BYTES && now - mtimeMs <= KEPT_MS)) continue;
    rmSync(file, { force: true });
  }
}

function firstLine(text: string): string {
  return text.slice(0, text.indexOf("\n"));
}
