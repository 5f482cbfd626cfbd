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
    post({ type: "line", id: run instanceof TaskRun ? run.number : -1, stream, text });
  });

  // An error outside every await of a task belongs to the task in whose context it happened. Where slots have no context
  // of their own it is the running task's if nothing ran here before; else nobody can tell, and the host starts afresh.
  const escaped = (error: unknown): void => {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    const { running } = loops;
    const run = data.single ? running[0] : currentTask();
    if (run instanceof TaskRun && running.includes(run)) {
      if (!data.single || !loops.used) return loops.fail(run, error);
      loops.flush();
      post({ type: "escaped", text: error instanceof Error ? `${error.name}: ${error.message}` : String(error) });
    }
    post({ type: "line", id: -1, stream: "stderr", text: `uncaught: ${text}` });
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
