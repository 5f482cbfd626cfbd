// Stopping is a ladder: every kind of body ends when told to, and those beside it lose nothing. Argument: the executor.
import assert from "node:assert/strict";
import { execSync, spawn } from "node:child_process";
import { pbkdf2Sync } from "node:crypto";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import * as sky from "skyward";
import { findTree, isAlive } from "../../../src/agent/process-tree.ts";
import { event, failure, holds, point } from "../../support/point.ts";

const executor = process.argv[2] as "thread" | "process";
const worker = { concurrency: 3, executor, killGrace: "200ms" } as const;

/** Accepts and never answers. */
const silent = createServer(() => {}).listen(0, "127.0.0.1");
await new Promise((resolve) => silent.once("listening", resolve));
const url = `http://127.0.0.1:${(silent.address() as { port: number }).port}/`;
silent.unref();

const rungs: Record<string, () => unknown> = {
  "an async nap": () => sleep(60_000),
  "a body that hears its signal": async () => {
    const { signal } = sky.task();
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
  },
  "a hung fetch": () => fetch(url),
  "a busy loop": () => {
    for (;;);
  },
  "a catastrophic regular expression": () => /^(a+)+$/.test(`${"a".repeat(60)}b`),
  "Atomics.wait": () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60_000),
  execSync: () => {
    execSync("sleep 60");
  },
  "native code that computes": () => {
    pbkdf2Sync("a", "b", 200_000_000, 32, "sha512");
  },
  "a child": async () => {
    spawn("sleep", ["60"], { stdio: "ignore" });
    await sleep(60_000);
  },
  "a child that left the session": async () => {
    spawn("setsid", ["sleep", "60"], { stdio: "ignore", detached: true });
    await sleep(60_000);
  },
};

const nap = sky.fn(async (ms: number) => {
  await sleep(ms);
  return sky.task().attempt;
});
const double = sky.fn((x: number) => x * 2);

/** Says in its log that it runs, then runs a rung. */
const rung = (name: string, options: sky.FnOptions = {}): (() => sky.Pending<unknown>) => {
  const body = rungs[name]!;
  return sky.fn(
    () => {
      sky.task().progress(1);
      return body();
    },
    { name, rerun: "never", ...options },
  );
};

/** All processes that descend from this one and are none of the node's own. */
function strays(): number[] {
  return findTree({ below: process.pid }).filter((pid) => /^(sleep|setsid|sh)$/.test(commandOf(pid)));
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, "utf8").trim();
  } catch {
    return "";
  }
}

async function until(check: () => boolean, what: string): Promise<void> {
  for (const end = performance.now() + 5000; !check(); await sleep(20)) holds(performance.now() < end, what);
}

const began = (pool: sky.Pool): Promise<unknown> => event(pool, "Task.Progress");

await sky.compute({ worker, console: "silent" }, async (pool) => {
  await pool.map(double, [1, 2, 3]);

  for (const name of Object.keys(rungs)) {
    await point(`${name}: cancelled`, async () => {
      // Long enough to see the host's end, where that is the last rung.
      const long = /execSync|native/.test(name) ? 1600 : 900;
      const neighbours = [pool.run(nap(500)), pool.run(nap(long))];
      const started = began(pool);
      const task = pool.run(rung(name)());
      await started;
      const told = performance.now();
      task.cancel();
      const error = await failure(task);
      assert.equal(error.code, "SKY_TASK_CANCELLED", error.message);
      holds(performance.now() - told < 500, "the caller waited");
      for (const one of neighbours) {
        const attempt = await one;
        // It ended in its first try, or a try that was ended because of this task did not count.
        assert.equal(attempt, one.attempts.length);
        for (const { reason } of one.attempts.slice(0, -1))
          assert.match(reason!, new RegExp(`${name} \\(${task.id}\\)|${task.id} did not stop`));
        if (executor === "process") assert.equal(attempt, 1);
      }
      assert.deepEqual(await pool.map(double, [1, 2, 3, 4]), [2, 4, 6, 8]);
      // All slots work.
      const naps = Array.from({ length: 3 }, () => pool.run(nap(100)));
      const from = performance.now();
      await Promise.all(naps);
      holds(performance.now() - from < 1500, `three naps took ${performance.now() - from} ms`);
      await until(() => strays().length === 0, `left: ${strays().map(commandOf).join()}`);
    });
  }

  for (const name of ["a busy loop", "an async nap"]) {
    await point(`${name}: its time is over`, async () => {
      const neighbour = pool.run(nap(800));
      const error = await failure(pool.run(rung(name, { timeout: "200ms" })()));
      assert.equal(error.code, "SKY_TASK_TIMEOUT", error.message);
      await neighbour;
      assert.deepEqual(await pool.map(double, [1, 2, 3]), [2, 4, 6]);
    });
  }

  await point("a busy loop: an aborted signal", async () => {
    const abort = new AbortController();
    const started = began(pool);
    const task = pool.run(rung("a busy loop")(), { signal: abort.signal });
    await started;
    abort.abort(new Error("enough"));
    const error = await failure(task);
    holds(error.code === "SKY_TASK_CANCELLED" || error.message === "enough", `${error.code} ${error.message}`);
    assert.deepEqual(await pool.map(double, [1, 2, 3]), [2, 4, 6]);
  });

  await point("the signal of a task fires with the reason", async () => {
    const tell = sky.fn(
      async () => {
        const { signal, progress } = sky.task();
        progress(1);
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
        const { name, message } = signal.reason as Error;
        console.log(`stopped by ${name}: ${message}`);
      },
      { timeout: "400ms" },
    );
    const told = event(pool, "Log.Emitted", ({ message }) => message.startsWith("stopped by"));
    await failure(pool.run(tell()));
    assert.equal((await told).message, "stopped by TimeoutError: the run limit of 0.4 s (timeout) has passed");
    const cancelled = event(pool, "Log.Emitted", ({ message }) => message.startsWith("stopped by"));
    const started = began(pool);
    const task = pool.run(tell.with({ timeout: "10s" })());
    await started;
    task.cancel();
    await failure(task);
    assert.equal((await cancelled).message, "stopped by AbortError: the task was cancelled");
  });

  await point("the signal of a task fires with the caller's own reason", async () => {
    const tell = sky.fn(async () => {
      const { signal, progress } = sky.task();
      progress(1);
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      const { reason } = signal as { reason: Error & { code?: number; limit?: number } };
      const kind = [Error, RangeError, DOMException].findLast((one) => reason instanceof one)?.name;
      console.log(`told ${JSON.stringify([kind, reason.name, reason.message, reason.limit ?? reason])}`);
    });
    const toldBy = async (stop: (task: sky.Task<void>, abort: AbortController) => void): Promise<unknown[]> => {
      const abort = new AbortController();
      const started = began(pool);
      const line = event(pool, "Log.Emitted", ({ message }) => message.startsWith("told "));
      const task = pool.run(tell(), { signal: abort.signal });
      await started;
      stop(task, abort);
      const error = await failure(task);
      assert.equal(error.code, "SKY_TASK_CANCELLED");
      return JSON.parse((await line).message.slice(5)) as unknown[];
    };
    const limit = Object.assign(new RangeError("enough"), { limit: 7 });
    assert.deepEqual(await toldBy((_, abort) => abort.abort(limit)), ["RangeError", "RangeError", "enough", 7]);
    assert.deepEqual(await toldBy((task) => task.cancel(limit)), ["RangeError", "RangeError", "enough", 7]);
    const [kind, name, message] = await toldBy((_, abort) => abort.abort());
    assert.deepEqual([kind, name, message], ["DOMException", "AbortError", "This operation was aborted"]);
    const late = new DOMException("too late", "TimeoutError");
    assert.deepEqual((await toldBy((task) => task.cancel(late))).slice(0, 3), [
      "DOMException",
      "TimeoutError",
      "too late",
    ]);
    assert.deepEqual(await toldBy((_, abort) => abort.abort("a text")), [null, null, null, "a text"]);
    const much = new Error("much", { cause: new Uint8Array(1_000_000) });
    assert.deepEqual((await toldBy((task) => task.cancel(much))).slice(0, 3), ["Error", "Error", "much"]);
    const map = pool.map(tell, [1, 2]);
    const told = event(pool, "Log.Emitted", ({ message: text }) => text.startsWith("told "));
    await began(pool);
    map.cancel(limit);
    const error = await failure(map);
    assert.deepEqual([error.code, error.cause], ["SKY_TASK_CANCELLED", limit]);
    assert.equal((await told).message, 'told ["RangeError","RangeError","enough",7]');
  });

  await point("rerun: never beside a culprit is SKY_TASK_LOST, which names it", async () => {
    if (executor === "process") return;
    // Native code takes its host with it, whoever else is there.
    const started = began(pool);
    const task = pool.run(rung("execSync")());
    await started;
    const beside = pool.run(sky.fn(() => sleep(20_000), { rerun: "never", name: "beside" })());
    await pool.run(nap(50));
    task.cancel();
    await failure(task);
    const error = await failure(beside);
    assert.equal(error.code, "SKY_TASK_LOST");
    assert.match(error.message, new RegExp(`${task.id}\\b.*did not stop`));
  });

  await point("a cancelled task of the queue sends nothing", async () => {
    const running = Array.from({ length: 3 }, () => pool.run(nap(1500)));
    await pool.run(double.with({ queueTimeout: "100ms" })(1)).catch(() => {});
    const queued = Array.from({ length: 200 }, () => pool.run(nap(60_000)));
    await sleep(100);
    const waiting = queued.filter((task) => task.node === undefined);
    holds(waiting.length > 100, `${waiting.length} wait here`);
    const frames = (): number[] => pool.stats().map(({ framesSent }) => framesSent);
    const before = frames();
    for (const task of waiting) task.cancel();
    await Promise.allSettled(waiting);
    // What leaves leaves with the end of the turn; acknowledgements of the node's own frames are no frames of ours.
    await sleep(50);
    assert.deepEqual(frames(), before);
    for (const task of queued) task.cancel();
    await Promise.allSettled(queued);
    for (const task of waiting) assert.deepEqual(task.attempts, []);
    await Promise.all(running);
  });

  await point("progress reaches the task and the events", async () => {
    const tell = sky.fn(async () => {
      sky.task().progress(3, 4);
      await sleep(300);
    });
    const heard = began(pool) as Promise<{ done: number; of?: number }>;
    const task = pool.run(tell());
    const { done, of } = await heard;
    assert.deepEqual([done, of], [3, 4]);
    assert.deepEqual(task.progress, { done: 3, of: 4 });
    await task;
  });
});

await point("closing a pool tells its tasks why", async () => {
  const file = join(tmpdir(), `told-${process.pid}`);
  await sky.compute({ name: "told", worker: { ...worker, concurrency: 1 }, console: "silent" }, async (pool) => {
    const started = began(pool);
    const tell = sky.fn(async (path: string) => {
      const { signal, progress } = sky.task();
      progress(1);
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      const { code, message } = signal.reason as sky.SkyError;
      const { writeFileSync: write } = await import("node:fs");
      write(path, `${code} ${message}`);
    });
    pool.run(tell(file)).catch(() => {});
    await started;
  });
  assert.match(readFileSync(file, "utf8"), /^SKY_POOL_CLOSED .*closed/);
  rmSync(file);
});

await point("closing a pool under every rung leaves nothing", async () => {
  await Promise.all(
    Object.keys(rungs).map(async (name) => {
      const task = await sky.compute({ worker: { ...worker, concurrency: 1 }, console: "silent" }, async (pool) => {
        const started = began(pool);
        const one = pool.run(rung(name)());
        one.catch(() => {});
        await started;
        return { one };
      });
      await failure(task.one);
    }),
  );
  await until(
    () => findTree({ below: process.pid }).filter((pid) => commandOf(pid) !== "esbuild").length <= 1,
    "processes are left",
  );
  holds(isAlive({ pid: process.pid, startTime: "" }) && readdirSync("/proc").length > 0);
});
process.exit();
