// Memory of both ends of a stream whose consumer stops: millions of elements are there to be made.
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import * as sky from "skyward";
import { holds, point } from "../../support/point.ts";

const MB = 1024 * 1024;
const MOST_ELEMENTS = 1_000_000;
/** The window, twice (as bytes that wait and as bytes on their way), and what a collector leaves lying about. */
const ROOM_BYTES = 64 * MB;

const text = "x".repeat(200);
const many = sky.fn(async function* () {
  const { progress } = sky.task();
  for (let i = 1; i <= 5_000_000; i++) {
    if (i % 1000 === 0) progress(i);
    yield `${i} ${text}`;
  }
});
const reads = sky.fn(async (texts: AsyncIterable<string>, count: number) => {
  let i = 0;
  for await (const _ of texts) if (++i === count) await new Promise((resolve) => setTimeout(resolve, 60_000));
});
const host = sky.fn(() => process.pid);

function rssOf(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]) * 1024;
}

await sky.compute({ console: "silent" }, async (pool) => {
  const pid = await pool.run(host());
  let made = 0;
  void (async () => {
    for await (const one of pool.events) if (one.type === "Task.Progress") made = one.done;
  })();

  /** What each end has grown by and what was made, once nothing moves any more. */
  async function stopped(began: { here: number; there: number }, madeNow: () => number): Promise<void> {
    let before = -1;
    while (madeNow() !== before) {
      before = madeNow();
      await sleep(300);
    }
    const grown = [rssOf(process.pid) - began.here, rssOf(pid) - began.there];
    holds(
      grown.every((bytes) => bytes < ROOM_BYTES),
      `grown by ${grown.map((bytes) => (bytes / MB).toFixed(1)).join(", ")} MB`,
    );
  }
  const now = (): { here: number; there: number } => ({ here: rssOf(process.pid), there: rssOf(pid) });

  // What millions of elements that pass leave of garbage is there before and after.
  const warm = await pool.run(many());
  for (let i = 0; i < 500_000; i++) await warm.next();
  await warm.return();

  await point("at once: neither end grows", async () => {
    made = 0;
    await using stream = await pool.run(many());
    const began = now();
    await stream.next();
    await stopped(began, () => made);
    holds(made < 10_000, `made ${made}`);
  });

  await point("after it was the faster one, so that the window is large: neither end grows beyond it", async () => {
    await using stream = await pool.run(many());
    const began = now();
    const taken = 300_000;
    for (let i = 0; i < taken; i++) await stream.next();
    await stopped(began, () => made);
    holds(made - taken <= MOST_ELEMENTS, `made ${made}`);
    holds((made - taken) * 200 < 12 * MB, `made ${made}`);
  });

  await point("a body that stops reading: neither end grows", async () => {
    let read = 0;
    const source = async function* (): AsyncGenerator<string> {
      while (read < 5_000_000) yield `${read++} ${text}`;
    };
    const began = now();
    const task = pool.run(reads(source(), 200_000));
    try {
      await stopped(began, () => read);
      holds(read >= 200_000 && (read - 200_000) * 200 < 12 * MB, `read ${read}`);
    } finally {
      task.cancel();
      await task.catch(() => {});
    }
  });
});
