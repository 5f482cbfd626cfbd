import { parentPort, workerData } from "node:worker_threads";
import { currentTask, useAsyncContext } from "../../../task/context.ts";
import * as task from "../../../task/index.ts";
import { setInstanceInfo } from "../../../task/instance-info.ts";
import { installOutput } from "../../../task/output.ts";
import { Bind } from "./bind.ts";
import type { FromThread, ThreadData, ToThread } from "./messages.ts";
import { ThreadShare } from "./shared.ts";
import { SlotLoops } from "./slot-loops.ts";
import { TaskRun } from "./task-run.ts";

/** The program of an executor thread. */
export function runThread(): void {
  const port = parentPort!;
  const data = workerData as ThreadData;
  const share = new ThreadShare(data.slots, data.shared);
  const binds = new Map<number, Bind>();
  const post = (message: FromThread, transfer?: ArrayBuffer[]): void => port.postMessage(message, transfer);
  const loops = new SlotLoops(share, binds, data.single, post);
  (globalThis as Record<symbol, unknown>)[Symbol.for("skyward.task")] = task;
  setInstanceInfo(data.info);
  useAsyncContext(!data.single);

  installOutput(({ task: run, stream, text }) => {
    if (run instanceof TaskRun && !run[stream]) return;
    post({ type: "line", id: run instanceof TaskRun ? run.number : -1, stream, text });
  });

  // An error outside every await of a task: it belongs to the task whose context it happened in, else to the only one.
  const escaped = (error: unknown): void => {
    const current = currentTask();
    const run = current instanceof TaskRun ? current : undefined;
    const running = loops.running;
    const culprit = run ? (running.includes(run) ? run : undefined) : running.length === 1 ? running[0] : undefined;
    if (culprit && culprit.number >= 0) loops.fail(culprit, error);
    else post({ type: "line", id: -1, stream: "stderr", text: `uncaught: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}` });
  };
  process.on("uncaughtException", escaped);
  process.on("unhandledRejection", escaped);

  port.on("message", (message: ToThread) => {
    if (message instanceof Uint8Array) return loops.add(message);
    switch (message.type) {
      case "bind":
        return void binds.set(message.bind.id, new Bind(message.bind));
      case "unbind":
        return void binds.delete(message.id);
      case "stop":
        return loops.stop(message.first, message.count, message.reason);
      case "info":
        return setInstanceInfo(message.info);
      case "slots":
        return loops.pump();
      case "ping":
        return post({ type: "pong", id: message.id });
    }
  });
  post({ type: "ready" });
}
