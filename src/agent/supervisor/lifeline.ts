import type { ProcessIdentity } from "../config.ts";
import { isAlive } from "../process-tree.ts";

const POLL_MS = 500;

/**
 * Calls `gone` once when the controller is dead: its end of our stdin closed, or its process ended. Both, since a
 * child that the controller forked may hold the pipe open.
 */
export function watchParent(parent: ProcessIdentity, gone: (why: string) => void): void {
  const tell = (why: string) => () => {
    clearInterval(timer);
    gone(why);
  };
  const timer = setInterval(() => {
    if (!isAlive(parent)) tell("the controller's process ended")();
  }, POLL_MS);
  process.stdin.on("end", tell("the controller closed the agent's stdin"));
  process.stdin.on("error", tell("the controller's end of the agent's stdin broke"));
  process.stdin.resume();
}
