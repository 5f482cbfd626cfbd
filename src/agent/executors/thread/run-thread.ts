import { parentPort, workerData } from "node:worker_threads";
import type { ThreadData } from "../messages.ts";
import { runSlots } from "../slots/run-slots.ts";
import { ThreadShare } from "./thread-share.ts";

/** The program of an executor thread. */
export function runThread(): void {
  const port = parentPort!;
  const { slots, shared, single, info } = workerData as ThreadData;
  const share = new ThreadShare(slots, shared);
  const take = runSlots({ share, single, info, post: (message, transfer) => port.postMessage(message, transfer) });
  port.on("message", take);
  port.postMessage({ type: "ready" });
}
