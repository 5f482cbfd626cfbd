import { setTimeout as delay } from "node:timers/promises";
import type { ProcessIdentity } from "./config.ts";
import { isAlive, killTree } from "./process-tree.ts";
import { removeRunDir } from "./supervisor/run-dir.ts";

const POLL_MS = 10;

/**
 * Tells a supervisor to end in an orderly way, if it does not already, and waits for it; then removes what it left, if
 * anything: processes and the run directory.
 */
export async function cleanUp(supervisor: ProcessIdentity | undefined, dir: string, waitMs: number): Promise<void> {
  const deadline = performance.now() + waitMs;
  if (supervisor !== undefined && isAlive(supervisor)) tell(supervisor.pid);
  while (supervisor !== undefined && isAlive(supervisor) && performance.now() < deadline) await delay(POLL_MS);
  await killTree({
    run: dir,
    commands: dir,
    ...(supervisor !== undefined && { root: supervisor, session: supervisor }),
  });
  removeRunDir(dir);
}

function tell(pid: number): void {
  try {
    process.kill(pid, "SIGTERM");
  } catch {
    // It has just ended.
  }
}

/** `agent clean <pid> <start time> <dir> <wait ms>`, on another machine; pid 0 where it is not known. */
export async function runClean([pid, startTime, dir, waitMs]: readonly string[]): Promise<void> {
  if (dir === undefined || !Number.isSafeInteger(Number(pid))) process.exit(2);
  const supervisor = Number(pid) > 1 ? { pid: Number(pid), startTime: startTime ?? "" } : undefined;
  await cleanUp(supervisor, dir, Number(waitMs ?? 0));
}
