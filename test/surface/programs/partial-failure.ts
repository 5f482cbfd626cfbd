// One failure loses nothing: every form of a call, read in every way, left in every manner.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import * as sky from "skyward";
import { event, failure, holds, point } from "../../support/point.ts";

const odd = sky.fn(async (n: number) => {
  await sleep((n * 7) % 5);
  if (n % 2 === 0) throw new RangeError(`${n} is even`);
  return n;
});
const both = sky.fn((a: number, b: number) => {
  if (a === b) throw new RangeError(`${a} twice`);
  return a + b;
});
const ofNode = sky.fn((bad: number) => {
  const { node } = sky.instanceInfo();
  if (node === bad) throw new TypeError(`not on node ${node}`);
  return node;
});
const hang = sky.fn((n: number) => (n === 0 ? 0 : new Promise<never>(() => {})));
const numbers = function* (): Generator<number> {
  for (let n = 0; n < 6; n++) yield n;
};
const slowly = async function* (): AsyncGenerator<number> {
  for (const n of numbers()) {
    await sleep(1);
    yield n;
  }
};

/** Ends as text, by position. */
function shown(ends: Iterable<sky.Settled<unknown>>): string[] {
  const out: string[] = [];
  for (const end of ends) {
    assert.equal(end.task.status, end.status === "fulfilled" ? "done" : "failed");
    out[end.index] = end.status === "fulfilled" ? `${String(end.value)}` : (end.error as Error).message;
  }
  return out;
}
const SIX = ["0 is even", "1", "2 is even", "3", "4 is even", "5"];

await sky.compute({ nodes: 3, worker: { concurrency: 2 }, console: "silent" }, async (pool) => {
  const calls: [string, () => sky.Batch<unknown, unknown>, string[]][] = [
    ["map of a list", () => pool.map(odd, [...numbers()]), SIX],
    ["map of an iterable", () => pool.map(odd, numbers()), SIX],
    ["map of an async iterable", () => pool.map(odd, slowly()), SIX],
    [
      "starmap",
      () =>
        pool.starmap(both, [
          [1, 2],
          [2, 2],
          [3, 1],
        ]),
      ["3", "2 twice", "4"],
    ],
    [
      "starmap of an iterable",
      () =>
        pool.starmap(
          both,
          new Map([
            [1, 2],
            [3, 3],
          ]),
        ),
      ["3", "3 twice"],
    ],
    ["gather", () => pool.run(sky.gather(odd(1), both(2, 2), odd(4), both(1, 2))), ["1", "2 twice", "4 is even", "3"]],
    ["gather of a list", () => pool.run(sky.gather([...numbers()].map((n) => odd(n)))), SIX],
    ["broadcast", () => pool.broadcast(ofNode(1)), ["0", "not on node 1", "2"]],
  ];
  for (const [name, call, expected] of calls) {
    await point(`${name}: ends as data, awaited, in a loop, as they come, and twice`, async () => {
      const batch = call();
      assert.deepEqual(shown(await batch.settled()), expected);
      assert.deepEqual(shown(await batch.settled({ ordered: false })), expected);
      for (const ordered of [true, false]) {
        const seen: sky.Settled<unknown>[] = [];
        for await (const end of call().settled({ ordered })) seen.push(end);
        assert.deepEqual(shown(seen), expected);
        if (ordered)
          assert.deepEqual(
            seen.map(({ index }) => index),
            [...expected.keys()],
          );
      }
      // The same, awaited plainly: the first failure, and nothing hangs.
      const error = await failure(batch);
      holds(error instanceof sky.BroadcastError || expected.includes(error.message), String(error));
    });
    await point(`${name}: a plain loop gives what stands before the failure, and throws it`, async () => {
      const first = expected.findIndex((text) => !/^\d+$/.test(text));
      const seen: unknown[] = [];
      const error = await failure(async () => {
        for await (const value of call()) seen.push(value);
      });
      assert.equal(error.message, expected[first]);
      assert.deepEqual(seen.map(String), expected.slice(0, first));
      const values: unknown[] = [];
      const other = await failure(async () => {
        for await (const value of call().unordered()) values.push(value);
      });
      holds(expected.includes(other.message));
      holds(values.every((value) => expected.includes(String(value))));
    });
  }

  await point("BroadcastError has the answers of all, by rank", async () => {
    const error = await failure(pool.broadcast(ofNode(2)));
    holds(error instanceof sky.BroadcastError);
    assert.deepEqual(
      error.results.map(({ node, status }) => [node, status]),
      [
        [0, "fulfilled"],
        [1, "fulfilled"],
        [2, "rejected"],
      ],
    );
    assert.equal(error.errors.length, 1);
    assert.match(error.message, /1 of 3 nodes failed, node 2 first: not on node 2/);
    assert.equal(error.code, "SKY_BROADCAST_FAILED");
    assert.deepEqual(await pool.broadcast(ofNode(9)), [0, 1, 2]);
  });

  await point("cancel: what has ended stays, the rest is cancelled", async () => {
    for (const items of [
      [0, 1, 0, 1],
      (function* () {
        yield* [0, 1, 0, 1];
      })(),
    ]) {
      const batch = pool.map(hang, items);
      const ends = batch.settled({ ordered: false })[Symbol.asyncIterator]();
      for (let n = 0; n < 2; n++) assert.equal(((await ends.next()).value as sky.Settled<number>).status, "fulfilled");
      batch.cancel();
      const after: unknown[] = [];
      for (let one = await ends.next(); !one.done; one = await ends.next())
        after.push(one.value.status === "rejected" && [(one.value.error as sky.SkyError).code, one.value.task.status]);
      assert.deepEqual(after, [
        ["SKY_TASK_CANCELLED", "cancelled"],
        ["SKY_TASK_CANCELLED", "cancelled"],
      ]);
    }
  });

  await point("leaving a loop ends the items' own generator, and what runs goes on", async () => {
    let ended = 0;
    const endless = async function* (): AsyncGenerator<number> {
      try {
        for (let n = 1; ; n += 2) yield n;
      } finally {
        ended++;
      }
    };
    for await (const end of pool.map(odd, endless()).settled()) if (end.index === 20) break;
    for await (const value of pool.map(odd, endless())) if (value > 20) break;
    for await (const value of pool.map(odd, endless()).unordered()) if (value > 20) break;
    while (ended < 3) await sleep(5);
    assert.equal(await pool.run(odd(1)), 1);
  });

  await point("items that can't be pulled: all ends before, then why", async () => {
    const breaks = async function* (): AsyncGenerator<number> {
      yield 1;
      yield 2;
      throw new Error("no more");
    };
    const seen: sky.Settled<number>[] = [];
    const error = await failure(async () => {
      for await (const end of pool.map(odd, breaks()).settled()) seen.push(end);
    });
    assert.equal(error.message, "no more");
    assert.deepEqual(shown(seen), ["1", "2 is even"]);
    assert.equal((await failure(pool.map(odd, breaks()).settled())).message, "no more");
  });

  await point("arguments that can't travel fail their own task", async () => {
    const ends = await pool.map(odd, [1, new WeakMap() as never, 3]).settled();
    assert.deepEqual(
      ends.map((end) => end.status),
      ["fulfilled", "rejected", "fulfilled"],
    );
    assert.equal((ends[1] as { error: sky.SkyError }).error.code, "SKY_VALUE_UNSERIALIZABLE");
    const empty = await pool.map(odd, []).settled();
    assert.deepEqual(empty, []);
  });
});

await point("a pool that closes ends every loop", async () => {
  const pool = await sky.compute({ nodes: 1, worker: { concurrency: 2 }, console: "silent" });
  const endless = async function* (): AsyncGenerator<number> {
    for (;;) {
      yield 1;
      await sleep(1);
    }
  };
  const codes = async (ends: AsyncIterable<sky.Settled<unknown>>): Promise<string[]> => {
    const out: string[] = [];
    try {
      for await (const end of ends) out.push(end.status === "rejected" ? (end.error as sky.SkyError).code : "done");
    } catch (error) {
      out.push(`thrown ${(error as sky.SkyError).code}`);
    }
    return out;
  };
  await pool.run(hang(0));
  const loops = [
    codes(pool.map(hang, [0, 1]).settled()),
    codes(pool.run(sky.gather(hang(0), hang(1))).settled()),
    codes(pool.broadcast(hang(1)).settled({ ordered: false })),
    codes(pool.map(hang, endless()).settled()),
  ];
  const run = failure(pool.run(hang(1)));
  await sleep(100);
  await pool.close();
  const [list, gathered, broadcast, pulled] = await Promise.all(loops);
  assert.deepEqual(list!.slice(-1), ["SKY_POOL_CLOSED"]);
  assert.deepEqual(gathered!.slice(-1), ["SKY_POOL_CLOSED"]);
  assert.deepEqual(broadcast, ["SKY_POOL_CLOSED"]);
  assert.deepEqual(pulled!.slice(-2), ["SKY_POOL_CLOSED", "thrown SKY_POOL_CLOSED"]);
  assert.equal((await run).code, "SKY_POOL_CLOSED");
  assert.equal((await failure(pool.map(odd, [1]).settled())).code, "SKY_POOL_CLOSED");
});

await point("failures that nobody looked at are told at the end, others are not", async () => {
  const told: string[] = [];
  const fails = sky.fn((name: string) => {
    throw new Error(name);
  });
  await sky.compute({ nodes: 2, console: "silent" }, async (pool) => {
    void (async () => {
      for await (const one of pool.events) if (one.type === "Error.Occurred") told.push(one.message);
    })();
    const alone = pool.run(fails("a run"));
    pool.map(fails, ["a map", "a second of the map"]);
    pool.run(sky.gather(fails("a group")));
    pool.broadcast(fails("a broadcast"));
    pool.map(
      fails,
      (function* () {
        yield "an iterable";
      })(),
    );
    pool.starmap(fails, [["a starmap"]]);
    // Looked at: awaited, caught, iterated, settled, later.
    await failure(pool.run(fails("seen")));
    const late = pool.run(fails("seen late"));
    await pool.map(fails, ["seen settled"]).settled();
    await failure(async () => {
      for await (const _ of pool.map(fails, ["seen in a loop"]));
    });
    const cancelled = pool.run(hang(1));
    cancelled.cancel();
    while (alone.status !== "failed" || late.status !== "failed") await sleep(5);
    await failure(late);
    await event(pool, "Tasks.Progress", ({ running, queued }) => running + queued === 0);
  });
  for (const name of ["a run", "a map", "a group", "a broadcast", "an iterable", "a starmap"])
    assert.equal(told.filter((line) => line.includes(`Error: ${name}`)).length, 1, `${name}: ${told.join("\n")}`);
  holds(
    told.some((line) => /2 tasks of a batch, the first with: Error: a map/.test(line)),
    told.join("\n"),
  );
  holds(
    told.every((line) => !line.includes("seen")),
    told.join("\n"),
  );
  assert.equal(told.length, 6);
});
