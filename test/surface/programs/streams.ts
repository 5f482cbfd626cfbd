// Streams of results: from a generator on a node to a loop here, and what happens to both ends.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import * as sky from "skyward";
import { event, failure, holds, point } from "../../support/point.ts";

const executor = process.argv[2] as "thread" | "process";

class Bad extends Error {
  readonly at: number;
  constructor(at: number) {
    super(`bad at ${at}`);
    this.at = at;
  }
}

const count = sky.fn(async function* (to: number) {
  for (let i = 0; i < to; i++) yield i;
});
const squares = sky.fn(function* (to: number) {
  for (let i = 0; i < to; i++) yield { i, square: i * i };
});
const failsAt = sky.fn(async function* (at: number) {
  for (let i = 0; i < at; i++) yield i;
  throw new Bad(at);
});
/** Endless; says when its `finally` is done. */
const endless = sky.fn(async function* (cleanUpMs: number) {
  try {
    for (let i = 0; ; i++) yield i;
  } finally {
    await new Promise((resolve) => setTimeout(resolve, cleanUpMs));
    console.log("cleaned up");
  }
});
const one = sky.fn(() => 1);

async function all<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const out: T[] = [];
  for await (const item of stream) out.push(item);
  return out;
}
/** The error that a loop meets, and what it had before. */
async function upTo(stream: AsyncIterable<unknown>): Promise<{ seen: unknown[]; error: Error & { code?: string } }> {
  const seen: unknown[] = [];
  try {
    for await (const item of stream) seen.push(item);
  } catch (error) {
    return { seen, error: error as Error };
  }
  throw new Error(`ended after ${seen.length}`);
}
/** Resolves when a number that grew has stopped growing. */
async function still(read: () => number): Promise<void> {
  for (let before = -1; read() === 0 || read() !== before;) {
    before = read();
    await sleep(400);
  }
}
const cleanedUp = (pool: sky.Pool): Promise<unknown> =>
  event(pool, "Log.Emitted", ({ message }) => message === "cleaned up");

await sky.compute({ worker: { killGrace: "0.6s", executor }, console: "silent" }, async (pool) => {
  await point("elements come in order, of whatever kind, and a stream is read once", async () => {
    const stream = await pool.run(squares(3));
    assert.deepEqual(
      await all(stream),
      [0, 1, 2].map((i) => ({ i, square: i * i })),
    );
    assert.deepEqual(await all(stream), []);
    const kinds = sky.fn(function* () {
      yield undefined;
      yield "a";
      yield new Map([[1, new Set([2n])]]);
      yield Promise.resolve(5);
    });
    assert.deepEqual(await all(await pool.run(kinds())), [undefined, "a", new Map([[1, new Set([2n])]]), 5]);
    assert.deepEqual(await all(await pool.run(count(0))), []);
    const many = await all(await pool.run(count(200_000)));
    assert.equal(many.length, 200_000);
    holds(many.every((value, index) => value === index));
  });

  await point("a task is iterated directly", async () => {
    const task = pool.run(count(4));
    assert.deepEqual(await all(task), [0, 1, 2, 3]);
    const { error } = await upTo(pool.run(one()) as unknown as AsyncIterable<unknown>);
    assert.equal(error.code, "SKY_BAD_CALL");
  });

  await point("a plain function that returns a generator gives a stream too", async () => {
    async function* inner(to: number): AsyncGenerator<number> {
      for (let i = 0; i < to; i++) yield i;
    }
    assert.deepEqual(await all(await pool.run(sky.fn((to: number) => inner(to))(3))), [0, 1, 2]);
    assert.deepEqual(await all(await pool.run(sky.fn(async (to: number) => inner(to))(2))), [0, 1]);
    const body = sky.fn(() => new Response("hello").body!);
    const bytes = await all(await pool.run(body()));
    assert.equal(Buffer.concat(bytes).toString(), "hello");
  });

  await point("it begins with its first element, long before its last", async () => {
    const slow = sky.fn(async function* () {
      yield "first";
      await new Promise((resolve) => sky.task().signal.addEventListener("abort", resolve));
    });
    const task = pool.run(slow());
    const stream = await task;
    assert.equal(task.status, "running");
    assert.deepEqual(await stream.next(), { done: false, value: "first" });
    await stream.return();
  });

  await point("an error comes at its element, in its class, with its place", async () => {
    const { seen, error } = await upTo(await pool.run(failsAt(3)));
    assert.deepEqual(seen, [0, 1, 2]);
    holds(error instanceof Bad);
    assert.equal(error.at, 3);
    assert.match(error.stack!, /programs\/streams\.ts:\d+/);
    const far = await upTo(pool.run(failsAt(100_000)));
    assert.equal(far.seen.length, 100_000);
    const task = pool.run(failsAt(0));
    const first = await upTo(await task);
    assert.deepEqual([first.seen.length, first.error.message], [0, "bad at 0"]);
    assert.equal(task.status, "failed");
    const unsendable = sky.fn(async function* () {
      yield 1;
      yield new WeakMap() as object;
    });
    const refused = await upTo(await pool.run(unsendable()));
    assert.deepEqual([refused.seen, refused.error.code], [[1], "SKY_VALUE_UNSERIALIZABLE"]);
  });

  await point("break runs the generator's finally on the node, waits for it, and frees the slot", async () => {
    const done = cleanedUp(pool);
    const stream = await pool.run(endless(150));
    let began = 0;
    for await (const i of stream) {
      if (i === 5) {
        began = performance.now();
        break;
      }
    }
    holds(performance.now() - began >= 140, "it did not wait");
    await done;
    assert.equal(await pool.run(one()), 1);
    assert.deepEqual(await stream.next(), { done: true, value: undefined });
  });

  await point("break of a task's own loop, return(), throw() and disposal do the same", async () => {
    for await (const _ of pool.run(endless(0))) break;
    assert.equal(await pool.run(one()), 1);
    const ended = async (end: (stream: sky.Stream<number>) => Promise<unknown>): Promise<void> => {
      const done = cleanedUp(pool);
      const stream = await pool.run(endless(0));
      await stream.next();
      await end(stream);
      await done;
      assert.equal(await pool.run(one()), 1);
    };
    await ended((stream) => stream.return());
    await ended(async (stream) => assert.equal((await failure(stream.throw(new RangeError("mine")))).message, "mine"));
    await ended(async (stream) => stream[Symbol.asyncDispose]());
  });

  await point("an error in that finally is what leaving rejects with", async () => {
    const unclean = sky.fn(async function* () {
      try {
        for (;;) yield 1;
      } finally {
        // oxlint-disable-next-line no-unsafe-finally -- what this point is about
        throw new RangeError("unclean");
      }
    });
    const stream = await pool.run(unclean());
    await stream.next();
    assert.equal((await failure(stream.return())).message, "unclean");
  });

  await point("a generator that does not come to its next element is given up after killGrace", async () => {
    const stuck = sky.fn(async function* (how: string) {
      yield 1;
      if (how === "waits") await new Promise(() => {});
      for (;;) if (how === "never") yield 2;
    });
    for (const how of ["waits", "spins"]) {
      const stream = await pool.run(stuck(how));
      await stream.next();
      const began = performance.now();
      await stream.return();
      holds(performance.now() - began >= 550, "too early");
      assert.equal(await pool.run(one()), 1);
    }
  });

  await point("leaving fires the signal, so that a generator can stop waiting", async () => {
    const waits = sky.fn(async function* () {
      const { signal } = sky.task();
      yield 1;
      await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));
    });
    const stream = await pool.run(waits());
    await stream.next();
    const began = performance.now();
    await stream.return();
    holds(performance.now() - began < 550, "it waited for the grace");
  });

  await point("cancel and signal end a stream at once, and its generator", async () => {
    const task = pool.run(endless(0));
    const stream = await task;
    await stream.next();
    const done = cleanedUp(pool);
    task.cancel();
    assert.equal((await failure(stream.next())).code, "SKY_TASK_CANCELLED");
    await done;
    const stop = new AbortController();
    const other = await pool.run(endless(0), { signal: stop.signal });
    await other.next();
    stop.abort();
    assert.equal((await upTo(other)).error.code, "SKY_TASK_CANCELLED");
    const ofBatch = new AbortController();
    const [third] = await pool.run(sky.gather(endless(0)), { signal: ofBatch.signal });
    await third.next();
    ofBatch.abort();
    assert.equal((await upTo(third)).error.code, "SKY_TASK_CANCELLED");
    assert.equal(await pool.run(one()), 1);
  });

  await point("with a consumer that stops, the generator stops at the window", async () => {
    const counted = sky.fn(async function* () {
      const { progress } = sky.task();
      for (let i = 1; ; i++) {
        if (i % 1000 === 0) progress(i);
        yield "x".repeat(90);
      }
    });
    await using stream = await pool.run(counted());
    await stream.next();
    let most = 0;
    void (async () => {
      for await (const one of pool.events) if (one.type === "Task.Progress") most = one.done;
    })();
    await still(() => most);
    holds(most > 0 && most < 20_000, `it made ${most}`);
  });

  await point("a stream that nobody holds any more is ended", async () => {
    setFlagsFromString("--expose-gc");
    const gc = runInNewContext("gc") as () => void;
    const done = cleanedUp(pool);
    await (async () => void (await pool.run(endless(0))))();
    let over = false;
    void done.then(() => (over = true));
    while (!over) {
      gc();
      await sleep(10);
    }
    assert.equal(await pool.run(one()), 1);
  });

  await point("streams in groups and maps stand in their places", async () => {
    const [first, number, second] = await pool.run(sky.gather(count(2), one(), squares(1)));
    assert.deepEqual([await all(first), number, await all(second)], [[0, 1], 1, [{ i: 0, square: 0 }]]);
    const sizes: number[] = [];
    for await (const stream of pool.map(count, [3, 200_000, 1])) sizes.push((await all(stream)).length);
    assert.deepEqual(sizes, [3, 200_000, 1]);
    const streams = await pool.map(count, [1, 2, 3]);
    assert.deepEqual(await Promise.all(streams.map(all)), [[0], [0, 1], [0, 1, 2]]);
    const settled = await pool.run(sky.gather(count(1), failsAt(0))).settled();
    assert.deepEqual(
      settled.map(({ status }) => status),
      ["fulfilled", "fulfilled"],
    );
  });

  await point("large elements keep their place among small ones", async () => {
    const mixed = sky.fn(async function* (to: number) {
      for (let i = 0; i < to; i++) yield i % 3 === 1 ? new Uint8Array(700_000).fill(i) : i;
    });
    let i = 0;
    for await (const item of pool.run(mixed(30))) {
      if (typeof item === "number") assert.equal(item, i);
      else holds(item.length === 700_000 && item.every((byte) => byte === i));
      i++;
    }
    assert.equal(i, 30);
  });

  await point("a retry rule holds until the first element has come", async () => {
    const late = sky.fn(
      async function* (at: number) {
        for (let i = 0; i < 3; i++) {
          if (i === at && sky.task().attempt === 1) throw new Error("once");
          yield i;
        }
      },
      { retry: 2 },
    );
    const task = pool.run(late(0));
    assert.deepEqual(await all(task), [0, 1, 2]);
    assert.equal(task.attempts.length, 2);
    assert.equal((await upTo(pool.run(late(1)))).error.message, "once");
  });

  await point("a stream on its way is lost with its process; one that had not begun runs again", async () => {
    const dies = sky.fn(async function* (at: number) {
      const { attempt } = sky.task();
      for (let i = 0; i < 3; i++) {
        if (i === at && attempt === 1) {
          await new Promise((resolve) => setTimeout(resolve, 50));
          process.kill(process.pid, "SIGKILL");
          await new Promise(() => {});
        }
        yield i;
      }
    });
    const { seen, error } = await upTo(pool.run(dies(2)));
    assert.deepEqual(seen, [0, 1]);
    assert.equal(error.code, "SKY_TASK_LOST");
    assert.match(error.message, /handed out/);
    assert.deepEqual(await all(pool.run(dies(0))), [0, 1, 2]);
  });
});

await sky.compute({ defaultComputeTimeout: "0.2s", worker: { executor }, console: "silent" }, async (pool) => {
  const slow = sky.fn(async function* (ms: number) {
    yield 1;
    await new Promise((resolve) => setTimeout(resolve, ms));
    yield 2;
  });
  await point("the default run limit is not for streams, one that is asked for is", async () => {
    assert.deepEqual(await all(pool.run(slow(700))), [1, 2]);
    const arrow = sky.fn((ms: number) => slow.local(ms));
    assert.deepEqual(await all(pool.run(arrow(700))), [1, 2]);
    const { seen, error } = await upTo(pool.run(slow(5000).with({ timeout: "0.3s" })));
    assert.deepEqual([seen, error.code], [[1], "SKY_TASK_TIMEOUT"]);
  });
});

await sky.compute({ nodes: 2, worker: { concurrency: 3, executor }, console: "silent" }, async (pool) => {
  await point("a broadcast gives a stream for each node", async () => {
    const ranks = sky.fn(async function* () {
      yield sky.instanceInfo().node;
      yield "end";
    });
    const streams = await pool.broadcast(ranks());
    assert.deepEqual(await Promise.all(streams.map(all)), [
      [0, "end"],
      [1, "end"],
    ]);
  });

  await point("an error that reaches nobody ends its task's stream", async () => {
    const late = sky.fn(async function* () {
      yield 1;
      setTimeout(() => {
        throw new RangeError("late");
      }, 10);
      await new Promise(() => {});
    });
    const { seen, error } = await upTo(pool.run(late()));
    assert.deepEqual(seen, [1]);
    // A process that ran other tasks before can't tell whose error it was.
    assert.match(executor === "thread" ? error.message : error.code!, /late|SKY_TASK_LOST/);
  });

  await point("generators that share a thread keep their own task", async () => {
    const who = sky.fn(async function* (name: number) {
      const { id } = sky.task();
      for (let i = 0; i < 50; i++) {
        await new Promise((resolve) => setTimeout(resolve, i % 3));
        if (sky.task().id !== id) throw new Error("another task's");
        yield name;
      }
    });
    const lists = await Promise.all((await pool.map(who, [1, 2, 3, 4, 5, 6])).map(all));
    for (const [index, list] of lists.entries()) holds(list.length === 50 && list.every((name) => name === index + 1));
  });
});

await point("a stream that is never read does not hold up the end of its pool", async () => {
  const pool = await sky.compute({ worker: { executor }, console: "silent" });
  const stream = await pool.run(endless(0));
  await stream.next();
  const began = performance.now();
  await pool.close();
  holds(performance.now() - began < 5000, "it took long");
  assert.equal((await upTo(stream)).error.code, "SKY_POOL_CLOSED");
});
