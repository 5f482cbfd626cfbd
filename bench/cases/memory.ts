import type * as sky from "skyward";
import { hold, noop, same } from "../functions.ts";
import type { Case, Report } from "../harness.ts";
import { localPool } from "../pools.ts";

/** What an item that waits costs the controller. Every slot is held, so that nothing is taken while we count. */
export const memory: Case = {
  name: "memory",
  async run(report) {
    await using pool = await localPool();
    const stop = new AbortController();
    const held = [hold(0), hold(1)].map((call) => settled(pool.run(call, { signal: stop.signal })));
    await queued(report, "local, memory per queued item of a map", 1_000_000, 64, (count, signal) => {
      return [settled(pool.map(same, range(count), { signal }))];
    });
    await queued(report, "local, memory per queued run", 100_000, 300, (count, signal) => {
      return range(count).map(() => pool.run(noop(), { signal }));
    });
    await queued(report, "local, memory per queued run that is awaited", 100_000, 900, (count, signal) => {
      return range(count).map(() => settled(pool.run(noop(), { signal })));
    });
    stop.abort();
    await Promise.all(held);
  },
};

type Queue = (count: number, signal: AbortSignal) => readonly (Promise<unknown> | sky.Task<unknown>)[];

async function queued(report: Report, name: string, count: number, atMost: number, queue: Queue): Promise<void> {
  const cancel = new AbortController();
  const before = inUse();
  const waiting = queue(count, cancel.signal);
  report(name, (inUse() - before) / count, "B", { atMost });
  cancel.abort();
  await Promise.all(waiting.map((task) => settled(task)));
}

function settled(work: PromiseLike<unknown>): Promise<unknown> {
  return Promise.resolve(work).catch(() => undefined);
}

/** Bytes that are still in use after a full collection. */
function inUse(): number {
  if (globalThis.gc === undefined) throw new Error("run this with --expose-gc");
  for (let i = 0; i < 3; i++) globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}
