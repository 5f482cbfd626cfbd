// Opening and closing pools.
import assert from "node:assert/strict";
import * as sky from "skyward";
import { event, failure, holds, point } from "../../support/point.ts";

const rank = sky.fn(() => sky.instanceInfo().node);
const environment = sky.fn((name: string) => process.env[name]);
const hold = sky.fn(() => {
  sky.task().progress(1);
  return new Promise<never>(() => {});
});
const quiet = { console: "silent" } as const;

await point("the callback's result, and its pool is closed behind it", async () => {
  let kept: sky.Pool | undefined;
  const result = await sky.compute(quiet, async (pool) => {
    kept = pool;
    assert.equal(pool.name, "pool");
    return (await pool.run(rank())) + 1;
  });
  assert.equal(result, 1);
  const error = await failure(kept!.run(rank()));
  holds(error instanceof sky.SkyError);
  assert.equal(error.code, "SKY_POOL_CLOSED");
  for (const call of [
    () => kept!.map(rank, [undefined as never]),
    () => kept!.broadcast(rank()),
    () => kept!.run(sky.gather(rank())),
  ]) {
    assert.equal((await failure(call())).code, "SKY_POOL_CLOSED");
  }
});

await point("an error of the callback passes through, and what ran is ended", async () => {
  let task: sky.Task<never> | undefined;
  const error = await failure(
    sky.compute(quiet, async (pool) => {
      const runs = event(pool, "Task.Progress");
      task = pool.run(hold());
      await runs;
      throw new RangeError("mine");
    }),
  );
  assert.equal(error.message, "mine");
  assert.equal((await failure(task!)).code, "SKY_POOL_CLOSED");
});

await point("await using", async () => {
  let closed: Promise<unknown>;
  {
    await using pool = await sky.compute({ ...quiet, name: "mine" });
    closed = event(pool, "Pool.Stopped");
    assert.equal(await pool.run(rank()), 0);
    assert.equal(pool.snapshot().name, "mine");
  }
  await closed;
});

await point("close, more than once", async () => {
  const pool = await sky.compute(quiet);
  await Promise.all([pool.close(), pool.close()]);
  await pool.close();
});

await point("nodes: a number, a range, and each by name", async () => {
  for (const [nodes, count] of [
    [2, 2],
    [[1, 3], 1],
    [{ desired: 2 }, 2],
    [{ desired: 2, min: 1, max: 4 }, 2],
  ] as const) {
    await sky.compute({ ...quiet, nodes }, async (pool) => {
      assert.equal((await pool.broadcast(rank())).length, count);
      holds(pool.nodes >= 1 && pool.nodes <= count);
    });
  }
});

await point("two pools at once", async () => {
  const [a, b] = await Promise.all([
    sky.compute({ ...quiet, name: "a" }),
    sky.compute({ ...quiet, name: "b", env: { WHO: "b" } }),
  ]);
  const pid = sky.fn(() => process.pid);
  const [pa, pb] = await Promise.all([a.run(pid()), b.run(pid())]);
  assert.notEqual(pa, pb);
  assert.equal(await a.run(environment("WHO")), undefined);
  assert.equal(await b.run(environment("WHO")), "b");
  await a.close();
  assert.equal(await b.run(rank()), 0);
  await b.close();
});

await point("a session: several pools, one lifetime", async () => {
  let kept: sky.Pool[];
  const session = sky.session();
  {
    await using _ = session;
    const [a, b] = await Promise.all([
      session.compute({ ...quiet, name: "a" }),
      session.compute({ ...quiet, name: "b" }),
    ]);
    kept = [a, b];
    assert.deepEqual(session.pools.map((pool) => pool.name).toSorted(), ["a", "b"]);
    assert.deepEqual(await Promise.all([a.run(rank()), b.run(rank())]), [0, 0]);
    assert.equal(await session.compute(quiet, (pool) => pool.run(rank())), 0);
    assert.equal(session.pools.length, 2, "a pool whose scope has ended is not open");
  }
  for (const pool of kept) assert.equal((await failure(pool.run(rank()))).code, "SKY_POOL_CLOSED");
  assert.equal((await failure(session.compute(quiet))).code, "SKY_POOL_CLOSED");
});

await point("a signal closes the pool, or never opens it", async () => {
  const before = await failure(sky.compute({ ...quiet, signal: AbortSignal.abort(new Error("no need")) }));
  holds(before instanceof Error);
  const stop = new AbortController();
  const pool = await sky.compute({ ...quiet, signal: stop.signal });
  const stopped = event(pool, "Pool.Stopped");
  const runs = event(pool, "Task.Progress");
  const task = pool.run(hold());
  await runs;
  stop.abort();
  assert.equal((await failure(task)).code, "SKY_POOL_CLOSED");
  await stopped;
});

await point("snapshot and events tell what happened", async () => {
  const types = new Set<string>();
  const pool = await sky.compute(quiet);
  const all = (async () => {
    for await (const { type } of pool.events) types.add(type);
  })();
  await pool.map(rank, [undefined as never, undefined as never]);
  await failure(pool.run(sky.fn(() => JSON.parse("{") as unknown)()));
  const { tasks, phase } = pool.snapshot();
  assert.equal(phase, "ready");
  assert.deepEqual([tasks.done, tasks.failed, tasks.queued, tasks.running], [2, 1, 0, 0]);
  await pool.close();
  await all;
  for (const type of ["Task.Completed", "Task.Failed", "Tasks.Progress", "Pool.Stopping", "Node.Gone", "Pool.Stopped"])
    holds(types.has(type), type);
});
