// The thread executor: cores, bodies that block, bodies that break their thread or their process.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpus } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import * as sky from "skyward";
import { failure, holds, point } from "../../support/point.ts";

const double = sky.fn((x: number) => x * 2);
const spin = sky.fn((turns: number) => {
  let x = 1;
  for (let i = 0; i < turns; i++) x = (x * 1_103_515_245 + 12_345) % 2_147_483_648;
  return x;
});
const threadOf = sky.fn(async () => (await import("node:worker_threads")).threadId);
const calls = (count: number): never[] => Array.from<never>({ length: count });

async function took(work: () => PromiseLike<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

await sky.compute({ worker: { concurrency: 2 }, console: "silent" }, async (pool) => {
  await point("concurrency 2 uses both cores", async () => {
    if (cpus().length < 2) return;
    await pool.map(spin, [1000, 1000, 1000, 1000]);
    const ids = new Set(
      await pool.map(
        sky.fn(async () => {
          const until = performance.now() + 30;
          while (performance.now() < until);
          return (await import("node:worker_threads")).threadId;
        }),
        calls(8),
      ),
    );
    assert.equal(ids.size, 2);
    // Two bodies that never let go of their thread, at the same time: how much faster that is depends on who else computes.
    const during = sky.fn((ms: number) => {
      const began = performance.timeOrigin + performance.now();
      while (performance.timeOrigin + performance.now() < began + ms);
      return [began, began + ms] as const;
    });
    await pool.run(during(1));
    const [a, b] = await pool.map(during, [400, 400]);
    const together = Math.min(a![1], b![1]) - Math.max(a![0], b![0]);
    holds(together > 200, `they ran together for ${together} ms of 400`);
  });
});

await sky.compute({ worker: { concurrency: 10 }, console: "silent" }, async (pool) => {
  await pool.map(double, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);

  await point("ten bodies that block their thread, ten at a time: Atomics.wait", async () => {
    const block = sky.fn((ms: number) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms));
    const ms = await took(() =>
      pool.map(
        block,
        Array.from({ length: 10 }, () => 1000),
      ),
    );
    holds(ms < 5000, `${ms} ms, one after the other it is 10,000`);
    const again = await took(() =>
      pool.map(
        block,
        Array.from({ length: 10 }, () => 300),
      ),
    );
    holds(again < 2500, `${again} ms the second time, one after the other it is 3,000`);
  });

  await point("ten bodies that block their thread, ten at a time: execFileSync", async () => {
    const block = sky.fn(() => {
      execFileSync("sleep", ["1"]);
    });
    const ms = await took(() => pool.map(block, calls(10)));
    holds(ms < 6000, `${ms} ms, one after the other it is 10,000`);
  });

  await point("one body that blocks does not keep others waiting", async () => {
    const wait = sky.fn((ms: number) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms));
    await pool.run(wait(1));
    const block = pool.run(wait(3000));
    const ms = await took(() =>
      pool.map(
        double,
        Array.from({ length: 200 }, (_, i) => i),
      ),
    );
    holds(ms < 1500, `they took ${ms} ms beside it`);
    assert.equal(block.status, "running");
    block.cancel();
    await failure(block);
  });

  await point("naps stand side by side, as many as there are slots", async () => {
    const nap = sky.fn((ms: number) => sleep(ms));
    const ms = await took(() =>
      pool.map(
        nap,
        Array.from({ length: 100 }, () => 50),
      ),
    );
    holds(ms >= 490 && ms < 1000, `${ms} ms; ideal is 500`);
    const threads = new Set(await pool.map(threadOf, calls(40)));
    holds(threads.size >= 1);
  });
});

const lasting = sky.fn(async (ms: number) => {
  await sleep(ms);
  return [sky.task().attempt, process.pid];
});

await sky.compute({ worker: { concurrency: 2 }, console: "silent", retryOnInterruption: 1 }, async (pool) => {
  /** A body that kills what it runs in is lost; the one beside it has its result all the same; the pool works on. */
  const deadly = async (body: () => unknown, says: RegExp): Promise<void> => {
    const neighbour = pool.run(lasting(300));
    const task = pool.run(sky.fn(body as () => Promise<void>, { name: "deadly" })());
    const error = await failure(task);
    holds(error instanceof sky.SkyError, `${error.name}: ${error.message}`);
    assert.equal(error.code, "SKY_TASK_LOST", error.message);
    assert.match(error.message, says);
    assert.equal(task.attempts.length, 2);
    assert.equal((await neighbour).length, 2);
    assert.deepEqual(await pool.map(double, [1, 2, 3]), [2, 4, 6]);
  };

  await point("process.exit", () => deadly(() => process.exit(3), /3/));
  await point("process.exit after an await", () =>
    deadly(async () => {
      await sleep(5);
      process.exit();
    }, /ended/),
  );
  await point("a segmentation fault", () => deadly(() => process.kill(process.pid, "SIGSEGV"), /SIGSEGV/));
  await point("abort is an error: threads have none", async () => {
    const error = await failure(pool.run(sky.fn(() => process.abort())()));
    assert.match(error.message, /abort/);
  });
  await point("kill -9", () => deadly(() => process.kill(process.pid, "SIGKILL"), /SIGKILL/));

  await point("rerun: never is at most once", async () => {
    const once = sky.fn(() => process.kill(process.pid, "SIGKILL"), { rerun: "never" });
    const task = pool.run(once());
    const error = await failure(task);
    assert.equal(error.code, "SKY_TASK_LOST");
    assert.equal(task.attempts.length, 1);
    assert.match((error as sky.SkyError).hint, /never/);
  });

  await point("a lost task that runs again ends with its result", async () => {
    const second = sky.fn(() => {
      const { attempt } = sky.task();
      if (attempt === 1) process.kill(process.pid, "SIGKILL");
      return attempt;
    });
    const task = pool.run(second());
    assert.equal(await task, 2);
    assert.equal(task.attempts.length, 2);
    assert.match(task.attempts[0]!.reason!, /SIGKILL/);
  });

  await point("a map through the death of its host", async () => {
    const items = Array.from({ length: 60 }, (_, i) => i);
    const work = sky.fn(async (i: number) => {
      if (i === 30 && sky.task().attempt === 1) process.kill(process.pid, "SIGKILL");
      await sleep(5);
      return i;
    });
    assert.deepEqual(await pool.map(work, items), items);
  });

  await point("an error thrown in a timer fails its own task", async () => {
    const neighbour = pool.run(lasting(200));
    const error = await failure(
      pool.run(
        sky.fn(async () => {
          setTimeout(() => {
            throw new RangeError("from a timer");
          }, 5);
          await new Promise(() => {});
        })(),
      ),
    );
    holds(error instanceof RangeError, `${error.name}: ${error.message}`);
    assert.equal(error.message, "from a timer");
    assert.equal((await neighbour)[0], 1);
    assert.equal(await pool.run(double(1)), 2);
  });

  await point("a rejection that nobody handles fails its own task", async () => {
    const error = await failure(
      pool.run(
        sky.fn(async () => {
          void Promise.reject(new TypeError("unhandled"));
          await new Promise(() => {});
        })(),
      ),
    );
    holds(error instanceof TypeError, `${error.name}: ${error.message}`);
    assert.equal(await pool.run(double(1)), 2);
  });

  await point("an error in a timer after the task's end costs nobody a result", async () => {
    await pool.run(
      sky.fn(() => {
        setTimeout(() => {
          throw new Error("too late");
        }, 20);
      })(),
    );
    // A thread with one slot can't tell whose timer it was: what ran there runs again on a fresh thread, and says why.
    const beside = [pool.run(lasting(60)), pool.run(lasting(60))];
    assert.equal((await Promise.all(beside)).length, 2);
    for (const { attempts } of beside) if (attempts.length > 1) assert.match(attempts[0]!.reason!, /too late/);
    assert.equal(await pool.run(double(1)), 2);
  });
});

await sky.compute({ worker: { concurrency: 1, killGrace: "300ms" }, console: "silent" }, async (pool) => {
  await point("after killGrace the thread of a busy loop is another one, in the same host", async () => {
    const where = sky.fn(async () => [process.pid, (await import("node:worker_threads")).threadId]);
    const before = await pool.run(where());
    const error = await failure(
      pool.run(
        sky.fn(
          () => {
            for (;;);
          },
          { timeout: "100ms" },
        )(),
      ),
    );
    assert.equal(error.code, "SKY_TASK_TIMEOUT");
    const after = await pool.run(where());
    assert.equal(after[0], before[0]);
    assert.notEqual(after[1], before[1]);
  });

  await point("a body in native code that does not come back takes its host with it", async () => {
    const before = await pool.run(sky.fn(() => process.pid)());
    const error = await failure(
      pool.run(
        sky.fn(
          () => {
            execFileSync("sleep", ["30"]);
          },
          { timeout: "100ms" },
        )(),
      ),
    );
    assert.equal(error.code, "SKY_TASK_TIMEOUT");
    assert.notEqual(await pool.run(sky.fn(() => process.pid)()), before);
  });
});

// Small heaps, so that one is soon full.
await sky.compute(
  {
    worker: { concurrency: 2 },
    console: "silent",
    retryOnInterruption: 0,
    env: { NODE_OPTIONS: "--max-old-space-size=128" },
  },
  async (pool) => {
    await point("a full heap ends its task, and the one beside it has its result", async () => {
      const neighbour = pool.run(lasting(300));
      const error = await failure(
        pool.run(
          sky.fn(() => {
            const kept: unknown[] = [];
            for (;;) kept.push(Array.from({ length: 100_000 }, (_, i) => ({ i })));
          })(),
        ),
      );
      assert.equal(error.code, "SKY_TASK_LOST", error.message);
      assert.match(error.message, /memory|heap|SIGABRT/);
      assert.equal((await neighbour).length, 2);
      assert.deepEqual(await pool.map(double, [1, 2, 3]), [2, 4, 6]);
    });
  },
);
