// Streams of arguments: from a source here to a body on a node, and through it back.
import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import * as sky from "skyward";
import { failure, holds, point } from "../../support/point.ts";
import { Countdown } from "./own/countdown.ts";

const executor = process.argv[2] as "thread" | "process";

type Numbers = AsyncIterable<number> | Iterable<number>;

const sum = sky.fn(async (numbers: Numbers, times = 1) => {
  let total = 0;
  for await (const x of numbers) total += x;
  return total * times;
});
const doubled = sky.fn(async function* (numbers: Numbers) {
  for await (const x of numbers) yield 2 * x;
});
const firstOf = sky.fn(async (numbers: Numbers) => {
  for await (const x of numbers) return x;
  return -1;
});
const ignores = sky.fn(async (_: Numbers) => "done");
const count = sky.fn(async function* (to: number) {
  for (let i = 0; i < to; i++) yield i;
});

/** A source, what was read of it, and whether its `finally` has run. */
class Source {
  made = 0;
  ended: Promise<void>;
  #end!: () => void;
  constructor() {
    this.ended = new Promise((resolve) => (this.#end = resolve));
  }
  async *numbers(to = Infinity, then?: () => unknown): AsyncGenerator<number> {
    try {
      while (this.made < to) yield this.made++;
      await then?.();
    } finally {
      this.#end();
    }
  }
}
function* upTo(to: number): Generator<number> {
  for (let i = 0; i < to; i++) yield i;
}

await sky.compute({ nodes: 2, worker: { killGrace: "0.3s", executor }, console: "silent" }, async (pool) => {
  await point("whatever can be iterated asynchronously streams, and so do iterators", async () => {
    assert.equal(await pool.run(sum(new Source().numbers(5))), 10);
    assert.equal(await pool.run(sum(upTo(5), 3)), 30);
    assert.equal(await pool.run(sum([1, 2].values())), 3);
    assert.equal(await pool.run(sum(Readable.from([1, 2, 3]))), 6);
    assert.equal(await pool.run(sum(ReadableStream.from([1, 2]) as AsyncIterable<number>)), 3);
    assert.equal(await pool.run(sum(await pool.run(count(4)))), 6);
    assert.equal(await pool.run(sum(pool.map((x: number) => x * x, [1, 2, 3]))), 14);
    const both = sky.fn(async (a: Numbers, word: string, b: Numbers) => {
      let text = word;
      for await (const x of a) text += x;
      for await (const x of b) text += x;
      return text;
    });
    assert.equal(await pool.run(both(upTo(3), "-", new Source().numbers(2))), "-01201");
    assert.equal(await pool.run(sum(new Source().numbers(300_000))), (300_000 * 299_999) / 2);
    assert.equal(await pool.run(sum(upTo(0))), 0);
  });

  await point("an array, a Map and an instance of a registered class are values, and not streams", async () => {
    const kind = sky.fn((value: unknown) =>
      value instanceof Countdown ? value.from : Object.prototype.toString.call(value),
    );
    assert.equal(await pool.run(kind([1])), "[object Array]");
    assert.equal(await pool.run(kind(new Map())), "[object Map]");
    assert.equal(await pool.run(kind(new Countdown(3))), 3);
  });

  await point("a source is read when the body asks, and left when the body has enough", async () => {
    const unread = new Source();
    assert.equal(await pool.run(ignores(unread.numbers())), "done");
    assert.equal(unread.made, 0);
    const left = new Source();
    assert.equal(await pool.run(firstOf(left.numbers())), 0);
    await left.ended;
  });

  await point("a source's error comes at its element", async () => {
    const seen = sky.fn(async (numbers: Numbers) => {
      let total = 0;
      try {
        for await (const x of numbers) total += x;
      } catch (error) {
        return `${total} ${(error as Error).name} ${(error as Error).message}`;
      }
      return "none";
    });
    const fails = (): AsyncGenerator<number> =>
      new Source().numbers(4, () => {
        throw new RangeError("dry");
      });
    assert.equal(await pool.run(seen(fails())), "6 RangeError dry");
    assert.equal((await failure(pool.run(sum(fails())))).message, "dry");
  });

  await point("both at once pipe: each element as it comes, and the end of one is the end of the other", async () => {
    const source = new Source();
    let most = 0;
    for await (const x of pool.run(doubled(source.numbers()))) {
      most = x;
      if (x === 200_000) break;
    }
    assert.equal(most, 200_000);
    await source.ended;
    let asked: (() => void) | undefined;
    async function* oneByOne(): AsyncGenerator<number> {
      for (let i = 0; i < 3; i++) {
        yield i;
        await new Promise<void>((resolve) => (asked = resolve));
      }
    }
    const got: number[] = [];
    for await (const x of pool.run(doubled(oneByOne()))) {
      got.push(x);
      while (!asked) await sleep(1);
      asked();
      asked = undefined;
    }
    assert.deepEqual(got, [0, 2, 4]);
    const chain = await pool.run(doubled(await pool.run(doubled(await pool.run(count(1000))))));
    let last = 0;
    for await (const x of chain) last = x;
    assert.equal(last, 3996);
  });

  await point("with a body that stops reading, the source is read to the window only", async () => {
    const stops = sky.fn(async (numbers: Numbers, ms: number) => {
      for await (const _ of numbers) await new Promise((resolve) => setTimeout(resolve, ms));
    });
    const source = new Source();
    const task = pool.run(stops(source.numbers(), 60_000));
    try {
      for (let before = -1; source.made === 0 || source.made !== before;) {
        before = source.made;
        await sleep(400);
      }
      holds(source.made <= 262_144, `it read ${source.made}`);
    } finally {
      task.cancel();
      await failure(task);
    }
    await source.ended;
  });

  await point("large elements keep their place", async () => {
    const check = sky.fn(async (parts: AsyncIterable<Uint8Array | number>) => {
      let i = 0;
      for await (const part of parts) {
        if (typeof part === "number" ? part !== i : part.length !== 400_000 || part.some((byte) => byte !== i))
          return `bad at ${i}`;
        i++;
      }
      return i;
    });
    async function* parts(): AsyncGenerator<Uint8Array | number> {
      for (let i = 0; i < 20; i++) yield i % 3 === 0 ? new Uint8Array(400_000).fill(i) : i;
    }
    assert.equal(await pool.run(check(parts())), 20);
  });

  await point("maps, groups and broadcasts take streams", async () => {
    assert.deepEqual(await pool.map(sum, [upTo(3), upTo(4), new Source().numbers(2)]), [3, 6, 1]);
    assert.deepEqual(await pool.starmap(sum, [[upTo(3), 2]]), [6]);
    assert.deepEqual(await pool.run(sky.gather(sum(upTo(3)), firstOf(upTo(1)))), [3, 0]);
    const anew = { [Symbol.asyncIterator]: () => new Source().numbers(4) };
    assert.deepEqual(await pool.broadcast(sum(anew)), [6, 6]);
    const { code, message } = await failure(pool.broadcast(sum(upTo(3))));
    assert.deepEqual([code, /read once/.test(message)], ["SKY_BAD_CALL", true]);
  });

  await point("what can be read once is given to one call", async () => {
    const numbers = upTo(3);
    assert.equal(await pool.run(sum(numbers)), 3);
    const error = await failure(pool.run(sum(numbers)));
    assert.equal(error.code, "SKY_BAD_CALL");
  });

  await point("inside an argument a source is refused, and read without await it says how it is read", async () => {
    const inside = sky.fn((options: { numbers: Numbers }) => typeof options);
    const error = await failure(pool.run(inside({ numbers: upTo(3) })));
    assert.equal(error.code, "SKY_VALUE_UNSERIALIZABLE");
    assert.match(error.hint ?? "", /whole argument/);
    using ref = pool.put(2);
    const beside = await failure(pool.run(sum(upTo(3), ref)));
    assert.deepEqual([beside.code, /streams/.test(beside.message)], ["SKY_BAD_REF", true]);
    const wrong = sky.fn((numbers: Iterable<number>) => [...numbers]);
    assert.match((await failure(pool.run(wrong(upTo(3))))).message, /for await/);
  });

  await point("a task that had read of its argument can't run again, one that had not can", async () => {
    const dies = sky.fn(async (numbers: Numbers, at: number) => {
      const { attempt } = sky.task();
      let total = 0;
      const die = async (): Promise<void> => {
        process.kill(process.pid, "SIGKILL");
        await new Promise(() => {});
      };
      if (at === 0 && attempt === 1) await die();
      for await (const x of numbers) {
        total += x;
        if (total > 0 && at > 0 && attempt === 1) await die();
      }
      return total;
    });
    const error = await failure(pool.run(dies(upTo(10), 1)));
    assert.equal(error.code, "SKY_TASK_LOST");
    assert.match(error.message, /had been read/);
    assert.equal(await pool.run(dies(upTo(10), 0)), 45);
    const throws = sky.fn(
      async (numbers: Numbers, at: number) => {
        if (at === 0 && sky.task().attempt === 1) throw new Error("before");
        for await (const _ of numbers) if (sky.task().attempt === 1 && at > 0) throw new Error("after");
        return "done";
      },
      { retry: 3 },
    );
    assert.equal(await pool.run(throws(upTo(2), 0)), "done");
    assert.equal((await failure(pool.run(throws(upTo(2), 1)))).message, "after");
  });
});

await sky.compute({ defaultComputeTimeout: "0.2s", worker: { executor }, console: "silent" }, async (pool) => {
  await point("the default run limit is not for a task that reads a stream", async () => {
    const slow = async function* (): AsyncGenerator<number> {
      yield 1;
      await sleep(700);
      yield 2;
    };
    assert.equal(await pool.run(sum(slow())), 3);
    assert.equal((await failure(pool.run(sum(slow()).with({ timeout: "0.2s" })))).code, "SKY_TASK_TIMEOUT");
  });
});
