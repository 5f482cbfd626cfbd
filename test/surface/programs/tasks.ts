// A task's life: its promise, its books, cancelling, limits of the queue, the order of starts.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import * as sky from "skyward";
import { event, failure, holds, point } from "../../support/point.ts";

const double = sky.fn((x: number) => x * 2);
/** Says that it runs, and then waits until it is told to stop. */
const hold = sky.fn(async () => {
  const { signal, progress } = sky.task();
  progress(0);
  await new Promise((resolve) => signal.addEventListener("abort", resolve));
  return "stopped";
});
/** Has its code sent, so that a later call starts at once. */
async function warm(pool: sky.Pool): Promise<void> {
  const runs = running(pool);
  const task = pool.run(hold());
  await runs;
  task.cancel();
  await failure(task);
}
const running = (pool: sky.Pool): Promise<unknown> => event(pool, "Task.Progress");

await sky.compute({ console: "silent" }, async (pool) => {
  await point("a task is awaited lazily, and as often as one likes", async () => {
    const task = pool.run(double(4));
    assert.match(task.id, /^t\d+$/);
    assert.equal(await task, 8);
    assert.equal(await task, 8);
    assert.equal(await task.then((x) => x + 1), 9);
    assert.equal(await task.finally(() => {}), 8);
    const failing = pool.run(
      sky.fn((): number => {
        throw new RangeError("no");
      })(),
    );
    assert.equal(await failing.catch((error: unknown) => (error as Error).message), "no");
    assert.equal((await failure(failing)).message, "no");
  });

  await warm(pool);

  await point("status: queued, running, done; failed; cancelled", async () => {
    const runs = running(pool);
    const first = pool.run(hold());
    const second = pool.run(double(1));
    assert.equal(first.status, "queued");
    assert.equal(first.node, undefined);
    assert.deepEqual(first.attempts, []);
    await runs;
    assert.equal(first.status, "running");
    assert.equal(first.node, 0);
    assert.equal(second.status, "queued");
    first.cancel();
    assert.equal(first.status, "cancelled");
    assert.equal(await second, 2);
    assert.equal(second.status, "done");
    const failing = pool.run(sky.fn(() => JSON.parse("{") as unknown)());
    await failure(failing);
    assert.equal(failing.status, "failed");
    await failure(first);
  });

  await point("attempts and timing", async () => {
    const task = pool.run(sky.fn(() => sleep(20))());
    assert.equal(task.timing.ended, undefined);
    await task;
    const { queued, sent, started, ended, received } = task.timing;
    const none = { reason: undefined, cause: undefined };
    assert.deepEqual(task.attempts, [{ attempt: 1, node: 0, sent, started, ended, ...none }]);
    holds(
      queued <= sent! && sent! <= started! && started! < ended! && ended! <= received!,
      JSON.stringify(task.timing),
    );
    holds(ended! - started! >= 18 && ended! - started! < 500, JSON.stringify(task.timing));
  });

  await point("cancel, running: the signal fires, the caller knows at once, the slot is free", async () => {
    const runs = running(pool);
    const told = sky.fn(async () => {
      const { signal, progress } = sky.task();
      progress(1);
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      console.log("told to stop:", (signal.reason as Error).name);
    });
    const task = pool.run(told());
    await runs;
    const line = event(pool, "Log.Emitted", ({ message }) => message.startsWith("told to stop"));
    task.cancel();
    const error = await failure(task);
    holds(error instanceof sky.SkyError);
    assert.equal(error.code, "SKY_TASK_CANCELLED");
    assert.equal((await line).message, "told to stop: AbortError");
    assert.equal(await pool.run(double(1)), 2);
  });

  await point("cancel, queued: it never starts", async () => {
    const runs = running(pool);
    const first = pool.run(hold());
    const task = pool.run(sky.fn(() => console.log("must not run"))());
    await runs;
    const lines: string[] = [];
    const last = (async () => {
      for await (const one of pool.events) {
        if (one.type === "Log.Emitted") lines.push(one.message);
        if (lines.at(-1) === "last") return;
      }
    })();
    task.cancel();
    task.cancel();
    assert.equal((await failure(task)).code, "SKY_TASK_CANCELLED");
    first.cancel();
    await pool.run(sky.fn(() => console.log("last"))());
    await last;
    assert.deepEqual(lines, ["last"]);
    await failure(first);
  });

  await point("signal: aborted before, while queued, while running", async () => {
    const before = await failure(pool.run(double(1), { signal: AbortSignal.abort(new Error("too late")) }));
    assert.equal(before.code, "SKY_TASK_CANCELLED");
    assert.equal((before.cause as Error).message, "too late");
    const runs = running(pool);
    const [run, queue] = [new AbortController(), new AbortController()];
    const first = pool.run(hold(), { signal: run.signal });
    const second = pool.run(double(1), { signal: queue.signal });
    await runs;
    queue.abort(new Error("changed my mind"));
    assert.equal(((await failure(second)).cause as Error).message, "changed my mind");
    assert.equal(first.status, "running");
    run.abort();
    assert.equal((await failure(first)).code, "SKY_TASK_CANCELLED");
    assert.equal(await pool.run(double(1), { signal: new AbortController().signal }), 2);
  });

  await point("signal of a map, a group and a broadcast", async () => {
    for (const call of [
      (signal: AbortSignal) => pool.map(hold, [undefined as never, undefined as never], { signal }),
      (signal: AbortSignal) => pool.run(sky.gather(hold(), hold()), { signal }),
      (signal: AbortSignal) => pool.broadcast(hold(), { signal }),
    ]) {
      const runs = running(pool);
      const stop = new AbortController();
      const batch = call(stop.signal);
      await runs;
      stop.abort();
      const error = await failure(batch);
      assert.equal(
        error instanceof sky.BroadcastError ? (error.errors[0] as sky.SkyError).code : error.code,
        "SKY_TASK_CANCELLED",
      );
      assert.equal((await failure(call(AbortSignal.abort()))).code, "SKY_TASK_CANCELLED");
    }
    assert.equal(await pool.run(double(1)), 2);
  });

  await point("single runs start first in, first out", async () => {
    const started = sky.fn((n: number) => {
      const list = ((globalThis as { order?: number[] }).order ??= []);
      list.push(n);
      return [...list];
    });
    const runs = Array.from({ length: 50 }, (_, n) => pool.run(started(n)));
    assert.deepEqual(
      await runs.at(-1),
      Array.from({ length: 50 }, (_, n) => n),
    );
  });

  await point("queueTimeout is the time before the start", async () => {
    const runs = running(pool);
    const first = pool.run(hold());
    await runs;
    const began = performance.now();
    const error = await failure(pool.run(double(1).with({ queueTimeout: "100ms" })));
    const waited = performance.now() - began;
    assert.equal(error.code, "SKY_QUEUE_TIMEOUT");
    assert.match(error.message, /queueTimeout/);
    holds(waited >= 90 && waited < 2000, `${waited}`);
    first.cancel();
    await failure(first);
    // It runs longer than it may wait.
    assert.equal(
      await pool.run(
        sky
          .fn(() => sleep(200, "done"))()
          .with({ queueTimeout: "100ms" }),
      ),
      "done",
    );
  });
});
