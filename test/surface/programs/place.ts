// What a function knows of the place where it runs.
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { hostname } from "node:os";
import * as sky from "skyward";
import { event, failure, holds, point } from "../../support/point.ts";

const rows = Array.from({ length: 100 }, (_, i) => i);

await sky.compute({ nodes: 3, worker: { concurrency: 2 }, console: "silent" }, async (pool) => {
  await point("instanceInfo on every node", async () => {
    const infos = await pool.broadcast(sky.fn(() => sky.instanceInfo())());
    assert.deepEqual(
      infos.map((info) => info.node),
      [0, 1, 2],
    );
    for (const info of infos) {
      assert.deepEqual(
        [info.totalNodes, info.worker, info.workersPerNode, info.totalWorkers, info.globalWorkerIndex],
        [3, 0, 1, 3, info.node],
      );
      assert.deepEqual([info.hostname, info.headAddr], [hostname(), "127.0.0.1"]);
      holds(Number.isInteger(info.headPort) && info.headPort > 0, `headPort ${info.headPort}`);
      assert.deepEqual(
        info.peers.map((peer) => peer.node),
        [0, 1, 2],
      );
      holds(
        info.peers.every((peer) => peer.privateIp === "127.0.0.1"),
        JSON.stringify(info.peers),
      );
      assert.equal(info.isHead, info.node === 0);
      assert.equal(info.jobId, infos[0]!.jobId);
      // PATH begins with a folder that has an nvidia-smi that lists two GPUs.
      const accelerator = { type: "A100", count: 2, memoryGb: 40, isTrainium: false };
      assert.deepEqual([info.accelerators, info.totalAccelerators, info.accelerator], [2, 6, accelerator]);
      const devices = readdirSync("/sys/class/net");
      const { interface: device, bandwidthGbps } = info.network;
      holds(device === null || devices.includes(device), `interface ${device}`);
      holds(bandwidthGbps === null || bandwidthGbps > 0, `bandwidth ${bandwidthGbps}`);
      assert.deepEqual(info.peers[0], { node: 0, privateIp: "127.0.0.1", publicIp: null });
    }
  });

  await point("isHead on one", async () => {
    assert.deepEqual(await pool.broadcast(sky.fn(() => sky.isHead())()), [true, false, false]);
    assert.equal(await pool.run(sky.fn(() => sky.isHead())(), { target: "head" }), true);
  });

  await point("shard covers everything once", async () => {
    const parts = await pool.broadcast(sky.fn(() => sky.shard(rows))());
    assert.deepEqual(
      parts.map((part) => part.length),
      [34, 33, 33],
    );
    assert.deepEqual(
      parts.flat().toSorted((a, b) => a - b),
      rows,
    );
    const shuffled = await pool.broadcast(sky.fn(() => sky.shard(rows, { shuffle: true, seed: 7 }))());
    assert.deepEqual(
      shuffled.flat().toSorted((a, b) => a - b),
      rows,
    );
    assert.notDeepEqual(shuffled[0], parts[0]);
    const even = await pool.broadcast(sky.fn(() => sky.shard(rows, { dropLast: true }).length)());
    assert.deepEqual(even, [33, 33, 33]);
    const aligned = await pool.broadcast(
      sky.fn(() => {
        const [x, y] = sky.shard(
          rows,
          Float64Array.from(rows, (row) => row * 2),
          { shuffle: true, seed: 1 },
        );
        return y instanceof Float64Array && x.every((value, i) => y[i] === 2 * value);
      })(),
    );
    assert.deepEqual(aligned, [true, true, true]);
    assert.deepEqual(sky.shard(rows, { node: 1, totalNodes: 50 }), [1, 51]);
  });

  await point("task: id, attempt, signal, slot", async () => {
    const about = sky.fn(() => {
      const { id, attempt, signal, slot } = sky.task();
      return { id, attempt, aborted: signal.aborted, slot };
    });
    const task = pool.run(about());
    const { id, attempt, aborted, slot } = await task;
    assert.deepEqual([id, attempt, aborted], [task.id, 1, false]);
    holds(slot === 0 || slot === 1, `slot ${slot}`);
    const batch = pool.map(about, Array.from<never>({ length: 50 }));
    assert.equal(new Set((await batch).map((one) => one.id)).size, 50);
  });

  await point("task() after awaits is the same task, beside another one", async () => {
    const ids = sky.fn(async () => {
      const before = sky.task().id;
      for (let i = 0; i < 5; i++) await new Promise((resolve) => setTimeout(resolve, 2));
      return [before, sky.task().id];
    });
    for (const [before, after] of await pool.map(ids, Array.from<never>({ length: 30 }))) assert.equal(before, after);
  });

  await point("progress reaches the events", async () => {
    const work = sky.fn((parts: number) => {
      const { progress } = sky.task();
      for (let i = 1; i <= parts; i++) progress(i, parts);
      progress(parts);
    });
    const last = event(pool, "Task.Progress", ({ done, of }) => done === 3 && of === undefined);
    const half = event(pool, "Task.Progress", ({ done }) => done === 2);
    const task = pool.run(work(3), { target: 1 });
    await task;
    const { task: id, name, node, of, done, attempt } = await half;
    assert.deepEqual(
      { id, name, node, of, done, attempt },
      { id: task.id, name: "work", node: 1, of: 3, done: 2, attempt: 1 },
    );
    await last;
  });

  await point("once: made once in an executor, again where it failed", async () => {
    const made = sky.once(() => {
      const all = globalThis as { made?: number };
      all.made = (all.made ?? 0) + 1;
      return { number: all.made };
    });
    const get = sky.fn(() => [made().number, made() === made()]);
    const results = await pool.map(get, Array.from<never>({ length: 40 }), { target: 2 });
    holds(
      results.every(([number, same]) => number === 1 && same === true),
      JSON.stringify(results),
    );
    const other = sky.fn(() => made().number);
    assert.deepEqual(new Set(await pool.map(other, Array.from<never>({ length: 10 }), { target: 2 })), new Set([1]));
  });

  await point("a pool's environment reaches its tasks, and what one sets reaches no other node", async () => {
    const set = sky.fn(() => (process.env["FROM_TASK"] = "1"));
    await pool.run(set(), { target: 0 });
    assert.equal(await pool.run(sky.fn(() => process.env["FROM_TASK"])(), { target: 1 }), undefined);
    assert.equal(process.env["FROM_TASK"], undefined);
  });

  await point("a body that asks for another's place fails clearly", async () => {
    const error = await failure(pool.run(sky.fn(() => sky.shard([1, 2], { node: 5 }))()));
    assert.equal(error.code, "SKY_BAD_OPTION");
  });
});
