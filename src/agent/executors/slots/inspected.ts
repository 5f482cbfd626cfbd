import * as inspector from "node:inspector";
import { currentTask } from "../../../task/context.ts";
import type { FromSlots } from "../messages.ts";
import { TaskRun } from "./task-run.ts";

type Body = (...args: unknown[]) => unknown;

const HERE = Symbol.for("skyward.inspected");

/**
 * A body that waits for a debugger before it runs, and then stops at its first line. The process waits as a whole, so
 * that nothing moves while somebody looks.
 */
export function inspected(body: Body, post: (message: FromSlots) => void): Body {
  return (...args) => {
    const run = currentTask();
    if (inspector.url() === undefined) inspector.open(0, "127.0.0.1");
    const { port, pathname } = new URL(inspector.url()!);
    if (run instanceof TaskRun)
      post({ type: "inspector", task: run.number, attempt: run.attempt, port: Number(port), path: pathname });
    inspector.waitForDebugger();
    stopAt(body);
    return body(...args);
  };
}

/** As a breakpoint before its first statement. */
function stopAt(body: Body): void {
  const session = new inspector.Session();
  session.connect();
  Object.defineProperty(globalThis, HERE, { value: body, configurable: true });
  session.post("Debugger.enable");
  session.post(
    "Runtime.evaluate",
    { expression: `globalThis[Symbol.for(${JSON.stringify(Symbol.keyFor(HERE))})]` },
    (_, answer?: { readonly result: { readonly objectId?: string } }) => {
      session.post("Debugger.setBreakpointOnFunctionCall", { objectId: answer?.result.objectId });
    },
  );
  Reflect.deleteProperty(globalThis, HERE);
}
