// `streams-cut.ts SEED`: links are cut at random moments while streams cross both ways; each element arrives once, in order.
import assert from "node:assert/strict";
import * as sky from "skyward";
import { cutting } from "../cuts.ts";

const seed = Number(process.argv[2] ?? Date.now() % 1e9);
const say = (line: string): void => void process.stdout.write(`${line}\n`);
say(`seed ${seed}`);

const ELEMENTS = 60_000;
const BIG = 100_000;

/** Small elements, a large one now and then, and pauses, so that cuts come at all kinds of moments. */
const made = sky.fn(async function* (count: number) {
  for (let i = 0; i < count; i++) {
    if (i % 500 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    yield i % 1500 === 7 ? new Uint8Array(BIG).fill(i % 251) : i;
  }
});
const passed = sky.fn(async function* (items: AsyncIterable<number | Uint8Array>) {
  for await (const item of items) yield item;
});

async function check(stream: AsyncIterable<number | Uint8Array>): Promise<number> {
  let i = 0;
  for await (const item of stream) {
    if (typeof item === "number") assert.equal(item, i);
    else assert.deepEqual([i % 1500, item.length, item[BIG - 1]], [7, BIG, i % 251]);
    i++;
  }
  return i;
}

const cuts = cutting(sky.local(), { seed, everyMs: 15, everyBytes: 200_000 });
await sky.compute({ provider: cuts.provider, worker: { concurrency: 4 }, console: "silent" }, async (pool) => {
  await pool.run(sky.fn(() => 1)());
  cuts.start();
  const counts = await Promise.all([
    check(pool.run(made(ELEMENTS))),
    check(pool.run(made(ELEMENTS))),
    check(pool.run(passed(pool.run(made(ELEMENTS))))),
  ]);
  cuts.stop();
  assert.deepEqual(counts, [ELEMENTS, ELEMENTS, ELEMENTS]);
  const { control, data } = cuts.counts;
  assert.equal(data > 5, true, `only ${data} data links were cut`);
  say(`ok ${ELEMENTS} elements arrived once each and in order, ${data} data links and ${control} control links cut`);
});
say("done");
