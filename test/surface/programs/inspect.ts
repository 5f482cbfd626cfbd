// sky.fn(f, { inspect: true }): a debugger here, the task there. SSH: options of the provider as JSON, else this machine.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import * as sky from "skyward";
import { Cdp } from "../../support/cdp.ts";
import { event, failure, holds, point } from "../../support/point.ts";

const ssh = process.env["SSH"];
const provider = ssh ? sky.ssh(JSON.parse(ssh) as sky.SshProviderOptions) : sky.local();
const worker = { concurrency: 2, killGrace: "200ms" } as const;

interface Paused {
  readonly reason: string;
  readonly callFrames: readonly {
    readonly callFrameId: string;
    readonly functionName: string;
    readonly location: object;
  }[];
}

const add = sky.fn(
  (a: number, b: number) => {
    let sum = a;
    sum += b;
    return sum;
  },
  { inspect: true, timeout: "300ms", name: "add" },
);
const double = sky.fn((x: number) => x * 2);

async function evaluate(cdp: Cdp, frame: string, expression: string): Promise<unknown> {
  const { result } = await cdp.call("Debugger.evaluateOnCallFrame", { callFrameId: frame, expression });
  return (result as { value?: unknown }).value;
}

await sky.compute({ provider, worker, console: "silent" }, async (pool) => {
  let last = 0;

  await point("a task waits for a debugger, stops at its first line, and goes on", async () => {
    const waits = event(pool, "Task.Inspectable");
    const task = pool.run(add(1, 2));
    const { address, port, name, task: id } = await waits;
    assert.deepEqual([name, id], ["add", task.id]);
    last = port;
    // What chrome://inspect and editors ask first.
    const list = (await (await fetch(`http://127.0.0.1:${port}/json/list`)).json()) as {
      webSocketDebuggerUrl: string;
    }[];
    assert.equal(list[0]?.webSocketDebuggerUrl, address);
    const cdp = await Cdp.connect(address);
    await cdp.call("Runtime.enable");
    await cdp.call("Debugger.enable");
    await cdp.call("Runtime.runIfWaitingForDebugger");
    const { callFrames } = (await cdp.event("Debugger.paused")) as unknown as Paused;
    const frame = callFrames[0]!.callFrameId;
    assert.equal(await evaluate(cdp, frame, "a + b * 10"), 21);
    assert.equal(await evaluate(cdp, frame, "b = 41"), 41);
    // A breakpoint two lines down.
    const { scriptId, lineNumber } = callFrames[0]!.location as { scriptId: string; lineNumber: number };
    await cdp.call("Debugger.setBreakpoint", { location: { scriptId, lineNumber: lineNumber + 2 } });
    await cdp.call("Debugger.resume");
    const second = (await cdp.event("Debugger.paused")) as unknown as Paused;
    assert.equal(await evaluate(cdp, second.callFrames[0]!.callFrameId, "sum"), 42);
    // Others go on meanwhile.
    assert.equal(await pool.run(double(2)), 4);
    await cdp.call("Debugger.resume");
    assert.equal(await task, 42);
    await cdp.closed;
  });

  await point("a run limit does not count, and its process is its own", async () => {
    const waits = event(pool, "Task.Inspectable");
    const own = sky.fn(() => process.pid, { inspect: true, timeout: "200ms" });
    const task = pool.run(own());
    const { address } = await waits;
    await sleep(600);
    assert.equal(task.status, "running");
    const cdp = await Cdp.connect(address);
    await cdp.call("Debugger.enable");
    await cdp.call("Runtime.runIfWaitingForDebugger");
    await cdp.event("Debugger.paused");
    await cdp.call("Debugger.resume");
    assert.notEqual(await task, await pool.run(sky.fn(() => process.pid)()));
  });

  await point("cancelled while it waits", async () => {
    const waits = event(pool, "Task.Inspectable");
    const task = pool.run(add(1, 2));
    await waits;
    task.cancel();
    assert.equal((await failure(task)).code, "SKY_TASK_CANCELLED");
    assert.equal(await pool.run(double(3)), 6);
  });

  await point("its port here is closed when it has ended", async () => {
    const isOpen = async (): Promise<boolean> => {
      const socket = connect(last, "127.0.0.1");
      try {
        await once(socket, "connect");
        return true;
      } catch {
        return false;
      } finally {
        socket.destroy();
      }
    };
    holds(last > 0);
    while (await isOpen()) await sleep(20);
  });
});
