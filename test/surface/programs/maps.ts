// map and starmap: functions, items, and the ways to read a batch.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import * as sky from "skyward";
import { failure, holds, point } from "../../support/point.ts";

const double = sky.fn((x: number) => x * 2);
function triple(x: number): number {
  return x * 3;
}
const nap = sky.fn(async (ms: number) => {
  await sleep(ms);
  return ms;
});
const even = sky.fn((x: number) => {
  if (x % 2 === 1) throw new RangeError(`${x} is odd`);
  return x;
});

await sky.compute({ nodes: 2, worker: { concurrency: 2 }, console: "silent" }, async (pool) => {
  await point("map over sky.fn, a plain function, an arrow", async () => {
    assert.deepEqual(await pool.map(double, [1, 2, 3]), [2, 4, 6]);
    assert.deepEqual(await pool.map(triple, [1, 2, 3]), [3, 6, 9]);
    assert.deepEqual(await pool.map((x: number) => x + 1, [1, 2, 3]), [2, 3, 4]);
    assert.deepEqual(await pool.map(async (x: string) => x.length, ["a", "bc"]), [1, 2]);
  });

  await point("an item is the argument, arrays too", async () => {
    const count = sky.fn((list: readonly number[], ...rest: unknown[]) => [
      Array.isArray(list),
      list.length,
      rest.length,
    ]);
    assert.deepEqual(await pool.map(count, [[1], [1, 2], []]), [
      [true, 1, 0],
      [true, 2, 0],
      [true, 0, 0],
    ]);
  });

  await point("starmap spreads", async () => {
    const join = sky.fn((a: string, b: number, c = "-") => a + b + c);
    assert.deepEqual(
      await pool.starmap(join, [
        ["x", 1],
        ["y", 2, "!"],
      ]),
      ["x1-", "y2!"],
    );
    assert.deepEqual(await pool.starmap((a: number, b: number) => a - b, [[3, 1]]), [2]);
    const notAList = pool.starmap(join, [["x", 1], "no" as never]);
    const [first, second] = await notAList.settled();
    assert.equal(first!.status, "fulfilled");
    holds(second?.status === "rejected" && (second.error as sky.SkyError).code === "SKY_BAD_CALL");
  });

  await point("items: a typed array, typed arrays, objects, texts, undefined", async () => {
    assert.deepEqual(await pool.map(double, new Float32Array([1.5, 2])), [3, 4]);
    assert.deepEqual(await pool.map((x: bigint) => x + 1n, new BigInt64Array([1n])), [2n]);
    const sum = sky.fn((values: Float64Array) => values.reduce((a, b) => a + b, 0));
    assert.deepEqual(await pool.map(sum, [new Float64Array([1, 2]), new Float64Array(10_000).fill(1)]), [3, 10_000]);
    assert.deepEqual(
      await pool.map((row: { a: number; b: Date }) => row.a + row.b.getTime(), [{ a: 1, b: new Date(5) }]),
      [6],
    );
    const long = "x".repeat(1_000_000);
    assert.deepEqual(await pool.map((text: string) => text.length, ["", "é", long]), [0, 1, 1_000_000]);
    assert.deepEqual(await pool.map((x: unknown) => String(x), [undefined, null, true, 1n]), [
      "undefined",
      "null",
      "true",
      "1",
    ]);
  });

  await point("large results and arguments come back whole", async () => {
    const fill = sky.fn((n: number) => new Uint8Array(n).fill(n % 251));
    const sizes = [0, 1, 40_000, 3_000_000];
    const back = await pool.map(fill, sizes);
    assert.deepEqual(
      back.map((bytes) => bytes.length),
      sizes,
    );
    holds(back[3]!.every((byte) => byte === 3_000_000 % 251));
    const echo = sky.fn((bytes: Uint8Array) => bytes);
    const [once] = await pool.map(echo, [back[3]!]);
    holds(Buffer.compare(once!, back[3]!) === 0);
  });

  await point("100,000 items", async () => {
    const results = await pool.map(
      double,
      Array.from({ length: 100_000 }, (_, i) => i),
    );
    assert.equal(results.length, 100_000);
    holds(results.every((value, i) => value === 2 * i));
  });

  await point("no items", async () => {
    assert.deepEqual(await pool.map(double, []), []);
    assert.deepEqual(
      await pool.starmap(
        sky.fn((a: number, b: number) => a + b),
        [],
      ),
      [],
    );
    for await (const _ of pool.map(double, [])) assert.fail("there is none");
    assert.deepEqual(await pool.map(double, new Set<number>()), []);
  });

  await point("items from a generator, a Map, and an async generator", async () => {
    const numbers = function* () {
      for (let i = 0; i < 500; i++) yield i;
    };
    assert.deepEqual(
      await pool.map(double, numbers()),
      Array.from({ length: 500 }, (_, i) => 2 * i),
    );
    assert.deepEqual(
      await pool.starmap(
        (key: string, value: number) => key + value,
        new Map([
          ["a", 1],
          ["b", 2],
        ]),
      ),
      ["a1", "b2"],
    );
    const slowly = async function* () {
      for (let i = 0; i < 20; i++) {
        await new Promise(setImmediate);
        yield i;
      }
    };
    assert.deepEqual(
      await pool.map(double, slowly()),
      Array.from({ length: 20 }, (_, i) => 2 * i),
    );
  });

  await point("items that are changed later have been taken as they were", async () => {
    const items = [{ n: 1 }, { n: 2 }];
    const batch = pool.map((item: { n: number }) => item.n, items);
    items[0]!.n = 100;
    items.push({ n: 3 });
    assert.deepEqual(await batch, [1, 2]);
  });

  await point("an endless generator is pulled within a window", async () => {
    let pulled = 0;
    const naturals = function* () {
      for (;;) yield pulled++;
    };
    const batch = pool.map(double, naturals());
    let seen = 0;
    for await (const value of batch) {
      assert.equal(value, 2 * seen);
      if (++seen === 300) break;
    }
    batch.cancel();
    holds(pulled >= 300 && pulled < 20_000, `pulled ${pulled}`);
  });

  await point("an endless generator is closed when its reader leaves", async () => {
    let closed = false;
    const naturals = function* () {
      try {
        for (let i = 0; ; i++) yield i;
      } finally {
        closed = true;
      }
    };
    for await (const value of pool.map(double, naturals())) if (value >= 20) break;
    // The pool still does other work, and the source is let go.
    assert.equal(await pool.run(double(4)), 8);
    for (let turn = 0; turn < 200 && !closed; turn++) await pool.run(double(1));
    holds(closed);
  });

  await point("an async source that waits is let go when the batch is cancelled", async () => {
    const waiting = async function* () {
      yield 1;
      await new Promise(() => {});
    };
    const batch = pool.map(double, waiting());
    const reader = batch[Symbol.asyncIterator]();
    assert.equal((await reader.next()).value, 2);
    batch.cancel();
    assert.equal((await failure(reader.next())).code, "SKY_TASK_CANCELLED");
  });

  await point("a source that throws fails the batch after what it gave", async () => {
    const broken = function* () {
      yield 1;
      yield 2;
      throw new TypeError("the file has ended");
    };
    const seen: number[] = [];
    const error = await failure(async () => {
      for await (const value of pool.map(double, broken())) seen.push(value);
    });
    assert.deepEqual(seen, [2, 4]);
    holds(error instanceof TypeError);
  });

  await point("iterated in order while the first is slow", async () => {
    const order: number[] = [];
    const batch = pool.map(nap, [200, 1, 2, 3]);
    for await (const ms of batch) order.push(ms);
    assert.deepEqual(order, [200, 1, 2, 3]);
    const [slow] = await pool.map(nap, [60, 1]).settled();
    assert.equal(slow!.index, 0);
  });

  await point("unordered: as they come", async () => {
    const order: number[] = [];
    for await (const ms of pool.map(nap, [300, 1, 2, 3]).unordered()) order.push(ms);
    assert.equal(order.at(-1), 300);
    assert.deepEqual(
      order.toSorted((a, b) => a - b),
      [1, 2, 3, 300],
    );
  });

  await point("settled loses nothing", async () => {
    const batch = pool.map(even, [0, 1, 2, 3]);
    const all = await batch.settled();
    assert.deepEqual(
      all.map(({ index, status }) => [index, status]),
      [
        [0, "fulfilled"],
        [1, "rejected"],
        [2, "fulfilled"],
        [3, "rejected"],
      ],
    );
    for (const one of all) {
      if (one.status === "fulfilled") assert.equal(one.value, one.index);
      else holds(one.error instanceof RangeError);
      assert.equal(one.task.status, one.status === "fulfilled" ? "done" : "failed");
      assert.equal(one.task.attempts.length, 1);
    }
    assert.equal(await all[0]!.task, 0);
    const seen: number[] = [];
    for await (const { index } of pool.map(even, [0, 1, 2, 3]).settled()) seen.push(index);
    assert.deepEqual(seen, [0, 1, 2, 3]);
    const asTheyCome: number[] = [];
    for await (const { index } of pool.map(nap, [300, 1, 2]).settled({ ordered: false })) asTheyCome.push(index);
    assert.equal(asTheyCome.at(-1), 0);
  });

  await point("awaited, the first failure rejects; iterated, those before it are given", async () => {
    const error = await failure(pool.map(even, [0, 1, 2, 3]));
    holds(error instanceof RangeError);
    const seen: number[] = [];
    const late = await failure(async () => {
      for await (const value of pool.map(even, [0, 2, 3, 4])) seen.push(value);
    });
    assert.deepEqual(seen, [0, 2]);
    assert.equal(late.message, "3 is odd");
  });

  await point("an argument that can't travel fails its own task only", async () => {
    const items: unknown[] = [1, Symbol("x"), 3];
    const all = await pool.map((x: unknown) => typeof x, items).settled();
    assert.deepEqual(
      all.map((one) => one.status),
      ["fulfilled", "rejected", "fulfilled"],
    );
    holds(all[1]!.status === "rejected" && (all[1]!.error as sky.SkyError).code === "SKY_VALUE_UNSERIALIZABLE");
  });

  await point("a run beside a map does not wait for it", async () => {
    const batch = pool.map(
      nap,
      Array.from({ length: 400 }, () => 20),
    );
    await batch[Symbol.asyncIterator]().next();
    const began = performance.now();
    assert.equal(await pool.run(double(1)), 2);
    const waited = performance.now() - began;
    holds(waited < 500, `it waited ${waited} ms; the map takes 2000`);
    holds(batch.ended < 400);
    batch.cancel();
    await failure(batch);
  });
});
