// The forms of a call: run, gather, broadcast, targets, options.
import assert from "node:assert/strict";
import * as sky from "skyward";
import { failure, holds, point } from "../../support/point.ts";

const add = sky.fn((a: number, b: number) => a + b);
const shout = sky.fn(async (text: string) => `${text.toUpperCase()}!`);
const rank = sky.fn(() => sky.instanceInfo().node);
const picky = sky.fn((bad: number) => {
  if (sky.instanceInfo().node === bad) throw new RangeError(`not on node ${bad}`);
  return sky.instanceInfo().node;
});

await sky.compute({ nodes: 3, console: "silent" }, async (pool) => {
  await point("run", async () => {
    assert.equal(await pool.run(add(2, 3)), 5);
    assert.equal(await pool.run(shout("hi")), "HI!");
    assert.equal(await pool.run(sky.fn(() => {})()), undefined);
  });

  await point("gather gives a tuple", async () => {
    const [sum, text] = await pool.run(sky.gather(add(1, 2), shout("a")));
    assert.equal(sum.toFixed(1), "3.0");
    assert.equal(text.length, 2);
    assert.deepEqual(await pool.run(sky.gather()), []);
  });

  await point("gather takes an iterable", async () => {
    const calls = function* () {
      for (let i = 0; i < 10; i++) yield add(i, i);
    };
    assert.deepEqual(await pool.run(sky.gather(calls())), [0, 2, 4, 6, 8, 10, 12, 14, 16, 18]);
    assert.deepEqual(await pool.run(sky.gather(new Set([add(1, 1)]))), [2]);
  });

  await point("a group is one failure or all results", async () => {
    const error = await failure(pool.run(sky.gather(add(1, 1), sky.fn(() => JSON.parse("{") as number)())));
    holds(error instanceof SyntaxError);
  });

  await point("broadcast gives results by rank", async () => {
    assert.deepEqual(await pool.broadcast(rank()), [0, 1, 2]);
    assert.deepEqual(await pool.broadcast(rank(), { only: "ready" }), [0, 1, 2]);
  });

  await point("BroadcastError has every node's answer", async () => {
    const error = await failure(pool.broadcast(picky(1)));
    holds(error instanceof sky.BroadcastError);
    holds(error instanceof sky.SkyError);
    assert.equal(error.code, "SKY_BROADCAST_FAILED");
    assert.deepEqual(
      error.results.map(({ node, status }) => [node, status]),
      [
        [0, "fulfilled"],
        [1, "rejected"],
        [2, "fulfilled"],
      ],
    );
    assert.equal(error.errors.length, 1);
    holds(error.errors[0] instanceof RangeError);
    assert.equal(error.errors[0].message, "not on node 1");
    assert.equal(error.cause, error.errors[0]);
  });

  await point("target: a rank, or the head", async () => {
    assert.equal(await pool.run(rank(), { target: "head" }), 0);
    for (const target of [0, 1, 2]) assert.equal(await pool.run(rank(), { target }), target);
    assert.deepEqual(await pool.map(rank, [undefined as never, undefined as never], { target: 2 }), [2, 2]);
    assert.deepEqual(await pool.run(sky.gather(rank(), rank()), { target: 1 }), [1, 1]);
  });

  await point("a pending is frozen, and never thenable", async () => {
    const pending = add(1, 2);
    holds(Object.isFrozen(pending));
    holds(!("then" in pending));
    // oxlint-disable-next-line typescript/await-thenable -- that it is none is the point
    assert.equal(await pending, pending);
    assert.deepEqual([await pool.run(pending), await pool.run(pending)], [3, 3]);
  });

  await point("options by .with, of a call, a function and a group", async () => {
    const nap = sky.fn((ms: number) => new Promise((resolve) => setTimeout(resolve, ms)));
    for (const call of [nap(5000).with({ timeout: "50ms" }), nap.with({ timeout: "50ms" })(5000)]) {
      assert.equal((await failure(pool.run(call))).code, "SKY_TASK_TIMEOUT");
    }
    assert.equal((await failure(pool.run(sky.gather(nap(5000)).with({ timeout: "50ms" })))).code, "SKY_TASK_TIMEOUT");
    assert.equal(nap.with({ name: "snooze" }).name, "snooze");
    assert.equal(nap.name, "nap");
  });

  await point("fn.local runs here", async () => {
    const here = sky.fn((a: number) => [a, process.pid] as const);
    assert.deepEqual(here.local(1), [1, process.pid]);
    assert.deepEqual(here(2).local(), [2, process.pid]);
    assert.notEqual((await pool.run(here(1)))[1], process.pid);
  });

  await point("many runs at once", async () => {
    const sums = await Promise.all(Array.from({ length: 2000 }, (_, i) => pool.run(add(i, 1))));
    assert.deepEqual(
      sums,
      Array.from({ length: 2000 }, (_, i) => i + 1),
    );
  });
});
