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
    await queued(report, "local, memory per queued item of a map", 1_000_000, 64, (count) => {
      return [pool.map(same, range(count))];
    });
    await queued(report, "local, memory per queued run", 100_000, 300, (count) => {
      return range(count).map(() => pool.run(noop()));
    });
    await queued(report, "local, memory per queued run that is awaited", 100_000, 900, (count) => {
      return range(count).map(() => {
        const task = pool.run(noop());
        task.then(ignore, ignore);
        return task;
      });
    });
    stop.abort();
    await Promise.all(held);
  },
};

type Queued = PromiseLike<unknown> & { cancel(): void };

async function queued(
  report: Report,
  name: string,
  count: number,
  atMost: number,
  queue: (count: number) => readonly Queued[],
): Promise<void> {
  const before = inUse();
  const waiting = queue(count);
  const bytes = inUse() - before;
  let counted = false;
  const early = waiting.map((task) => settled(task).then(() => !counted));
  counted = true;
  for (const task of waiting) task.cancel();
  if ((await Promise.all(early)).includes(true)) throw new Error(`${name}: tasks ended before they were counted`);
  report(name, bytes / count, "B", { atMost });
}

function ignore(): void {}

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
