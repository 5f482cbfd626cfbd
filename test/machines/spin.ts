import assert from "node:assert/strict";
import * as sky from "skyward";
import { Rig, type RigOptions } from "../rig/rig.ts";

/** Keeps a core busy without ever turning its event loop. */
const spin = sky.fn(
  (ms: number) => {
    const end = performance.now() + ms;
    let turns = 0;
    while (performance.now() < end) turns++;
    return { turns, attempt: sky.task().attempt };
  },
  { timeout: "2h" },
);
const cores = sky.fn(async () => {
  const { availableParallelism } = await import("node:os");
  return availableParallelism();
});

/** Two tasks spin on each core of a machine for so long: nothing on it may count as dead, no task may run twice. */
export async function spinning(ms: number, executor: "thread" | "process", options: RigOptions = {}): Promise<void> {
  await using rig = await Rig.start(options);
  const provider = sky.ssh(rig.ssh);
  const count = 2 * (await sky.compute({ provider, console: "silent" }, async (pool) => pool.run(cores())));
  const worker = { executor, concurrency: count };
  const deaths: string[] = [];
  await sky.compute({ provider, worker, console: "silent" }, async (pool) => {
    const watching = (async () => {
      for await (const event of pool.events)
        if (/^(Node\.(Disconnected|Lost|HostReplaced|WorkerFailed)|Task\.Retried)$/.test(event.type))
          deaths.push(JSON.stringify(event));
    })();
    const spun = await pool.map(spin, Array<number>(count).fill(ms));
    assert.deepEqual(
      spun.map(({ attempt }) => attempt),
      Array(count).fill(1),
    );
    await pool.close();
    await watching;
  });
  assert.deepEqual(deaths, []);
}
