import { currentTask, useAsyncContext } from "../../../task/context.ts";
import * as task from "../../../task/index.ts";
import { disposeOnce } from "../../../task/once.ts";
import { type InstanceFacts, setInstanceInfo } from "../../../task/instance-info.ts";
import { flushOutput, installOutput } from "../../../task/output.ts";
import type { FromSlots, ToSlots } from "../messages.ts";
import type { SlotShare } from "../share.ts";
import { Bind } from "./bind.ts";
import { markChildren } from "./mark-children.ts";
import { SlotLoops } from "./slot-loops.ts";
import { TaskRun } from "./task-run.ts";

export interface SlotsOptions {
  readonly share: SlotShare;
  /** There is one slot, and there will never be more. */
  readonly single: boolean;
  /** Unless a message brings it before the first task. */
  readonly info?: InstanceFacts;
  readonly post: (message: FromSlots, transfer?: ArrayBuffer[]) => void;
  /** Called before each task. */
  readonly begin?: (run: TaskRun) => void;
}

/**
 * The program of a thread or process that runs tasks, whatever carries its messages.
 * @returns what takes the host's messages
 */
export function runSlots({ share, single, info, post, begin }: SlotsOptions): (message: ToSlots) => void {
  const binds = new Map<number, Bind>();
  const loops = new SlotLoops(share, binds, single, post, begin);
  (globalThis as Record<symbol, unknown>)[Symbol.for("skyward.task")] = task;
  setInstanceInfo(info);
  useAsyncContext(!single);

  installOutput(({ task: run, stream, text }) => {
    post({ type: "line", id: run instanceof TaskRun ? run.number : -1, stream, text });
  });

  markChildren((id, mark) => post({ type: "spawned", id, mark }));

  // An error outside every await of a task belongs to the task in whose context it happened. Where slots have no context
  // of their own it is the running task's if nothing ran here before; else nobody can tell, and the host starts afresh.
  const escaped = (error: unknown): void => {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    const { running } = loops;
    const run = single ? running[0] : currentTask();
    if (run instanceof TaskRun && running.includes(run)) {
      if (!single || !loops.used) return loops.fail(run, error);
      loops.flush();
      post({ type: "escaped", text: error instanceof Error ? `${error.name}: ${error.message}` : String(error) });
    }
    post({ type: "line", id: -1, stream: "stderr", text: `uncaught: ${text}` });
  };
  process.on("uncaughtException", escaped);
  process.on("unhandledRejection", escaped);

  const end = async (): Promise<void> => {
    await disposeOnce().catch((error: unknown) => console.error(error));
    flushOutput();
    post({ type: "ended" });
  };

  return (message) => {
    if (message instanceof Uint8Array) return loops.add(message);
    switch (message.type) {
      case "parts":
        return loops.large.arrived(message);
      case "bind":
        return void binds.set(message.bind.id, new Bind(message.bind, post));
      case "unbind":
        return void binds.delete(message.id);
      case "stop":
        return loops.stop(message);
      case "info":
        return setInstanceInfo(message.info);
      case "slots":
        return loops.pump();
      case "stream":
        return loops.streams.take(message.record);
      case "element":
        return loops.streams.element(message.place, message.value);
      case "end":
        return void end();
      case "ping":
        return post({ type: "pong", id: message.id });
    }
  };
}
