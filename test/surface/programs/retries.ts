// retry: a number, a delay, a decision; what a decision is told; attempts as a user reads them.
import assert from "node:assert/strict";
import * as sky from "skyward";
import { event, failure, holds, point } from "../../support/point.ts";

/** Fails in its first attempts. */
const shaky = sky.fn((fails: number) => {
  const { attempt } = sky.task();
  if (attempt <= fails) throw Object.assign(new RangeError(`not yet (${attempt})`), { status: 503, code: "EBUSY" });
  return attempt;
});
const dies = sky.fn((deaths: number) => {
  const { attempt } = sky.task();
  if (attempt <= deaths) process.kill(process.pid, "SIGKILL");
  return attempt;
});

await sky.compute({ nodes: 2, console: "silent" }, async (pool) => {
  await point("by default an error is not tried again", async () => {
    const task = pool.run(shaky(1));
    assert.equal((await failure(task)).message, "not yet (1)");
    const [only, ...more] = task.attempts;
    assert.equal(more.length, 0);
    assert.equal(only!.reason, "not yet (1)");
    assert.equal(only!.cause, "failed");
  });

  await point("a number: so many tries more, then the last error", async () => {
    assert.equal(await pool.run(shaky(2).with({ retry: 2 })), 3);
    const task = pool.run(shaky(3).with({ retry: 2 }));
    assert.equal((await failure(task)).message, "not yet (3)");
    assert.deepEqual(
      task.attempts.map(({ attempt, reason, cause }) => [attempt, reason, cause]),
      [1, 2, 3].map((n) => [n, `not yet (${n})`, "failed"]),
    );
    // Another node each time, and every try in its time.
    assert.notEqual(task.attempts[0]!.node, task.attempts[1]!.node);
    let last = 0;
    for (const { sent, started, ended } of task.attempts) {
      holds(last <= sent! && sent! <= started! && started! <= ended!, JSON.stringify(task.attempts));
      last = ended!;
    }
    holds(last <= task.timing.received!);
  });

  await point("a delay: up to three tries more, so far apart; one timer for all", async () => {
    const began = performance.now();
    const timers = (): number => process.getActiveResourcesInfo().filter((one) => one === "Timeout").length;
    const before = timers();
    const first = event(pool, "Task.Retried");
    const batch = pool.map(
      shaky.with({ retry: "150ms" }),
      Array.from({ length: 500 }, () => 3),
    );
    const retried = await first;
    assert.equal(retried.waitMs, 150);
    assert.match(pool.explain() ?? "", /wait/);
    holds(timers() <= before + 3, `${timers()} timers, ${before} before`);
    const [one] = await batch.settled();
    holds(one?.status === "fulfilled");
    assert.equal(one.value, 4);
    const [a, b] = one.task.attempts;
    holds(b!.sent! - a!.ended! >= 149, JSON.stringify(one.task.attempts));
    holds(performance.now() - began >= 450);
    assert.equal((await failure(pool.run(shaky(4).with({ retry: "1ms" })))).message, "not yet (4)");
  });

  await point("a decision: told plain data, and how many tries have counted; it may name a delay", async () => {
    const seen: [sky.RetryFailure, number][] = [];
    const decide: sky.RetryDecision = (told, tries) => {
      seen.push([told, tries]);
      return told.details["status"] === 503 && tries < 3 ? "10ms" : false;
    };
    assert.equal(await pool.run(shaky(2).with({ retry: decide })), 3);
    assert.deepEqual(
      seen.map(([, tries]) => tries),
      [1, 2],
    );
    const [told] = seen[0]!;
    const { node, ...rest } = told;
    holds(node === 0 || node === 1);
    assert.deepEqual(rest, {
      kind: "error",
      name: "RangeError",
      message: "not yet (1)",
      code: "EBUSY",
      cause: undefined,
      details: { status: 503 },
      attempt: 1,
    });
    assert.equal((await failure(pool.run(shaky(5).with({ retry: decide })))).message, "not yet (3)");
    assert.equal((await failure(pool.run(shaky(1).with({ retry: () => false })))).message, "not yet (1)");
  });

  await point("thrown values that are no errors, and time limits", async () => {
    const texts = sky.fn(() => {
      // oxlint-disable-next-line typescript/only-throw-error -- others throw what they like
      if (sky.task().attempt === 1) throw "a text";
      return "done";
    });
    assert.equal(await pool.run(texts().with({ retry: 1 })), "done");
    const slow = sky.fn(async () => {
      if (sky.task().attempt === 1) await new Promise(() => {});
      return "done";
    });
    const kinds: string[] = [];
    const retry: sky.RetryDecision = ({ kind, code }) => kinds.push(`${kind} ${code}`) > 0;
    assert.equal(await pool.run(slow().with({ timeout: "100ms", retry })), "done");
    assert.deepEqual(kinds, ["timeout SKY_TASK_TIMEOUT"]);
  });

  await point("losses: their cause, and the limit that a number sets for them too", async () => {
    const told: sky.RetryFailure[] = [];
    const retry: sky.RetryDecision = (one) => told.push(one) > 0;
    const task = pool.run(dies(1).with({ retry }));
    assert.equal(await task, 2);
    assert.equal(told.length, 1);
    assert.equal(told[0]!.kind, "lost");
    assert.equal(told[0]!.cause, "hostRestarted");
    assert.match(told[0]!.message, /SIGKILL/);
    const [first, second] = task.attempts;
    assert.equal(first!.cause, "hostRestarted");
    assert.equal(first!.started, undefined);
    assert.equal(second!.cause, undefined);
    const never = pool.run(dies(1).with({ retry: 0 }));
    assert.equal((await failure(never)).code, "SKY_TASK_LOST");
    assert.equal(never.attempts.at(-1)!.cause, "hostRestarted");
    assert.equal((await failure(pool.run(dies(1).with({ rerun: "never", retry: 5 })))).code, "SKY_TASK_LOST");
  });

  await point("a decision that throws, or gives a promise, has not said yes, and that is told", async () => {
    for (const retry of [
      () => {
        throw new Error("my rule");
      },
      () => Promise.resolve(true) as never,
    ]) {
      const told = event(pool, "Error.Occurred");
      assert.equal((await failure(pool.run(shaky(1).with({ retry })))).message, "not yet (1)");
      assert.match((await told).message, /retry rule of shaky failed.*(my rule|a promise)/);
    }
  });

  await point("what can't be a rule is refused when it is given", () => {
    const refused = (retry: unknown): string | undefined => {
      try {
        shaky.with({ retry: retry as never });
        return undefined;
      } catch (error) {
        return `${(error as sky.SkyError).code} ${(error as Error).message}`;
      }
    };
    assert.match(refused(-1)!, /^SKY_BAD_OPTION retry must be/);
    assert.match(refused(1.5)!, /^SKY_BAD_OPTION retry/);
    assert.match(refused(100_000)!, /^SKY_BAD_OPTION retry.*200/);
    assert.match(refused("soon")!, /^SKY_BAD_DURATION/);
    assert.match(
      refused(async () => true)!,
      /^SKY_BAD_OPTION retry must decide at once/,
    );
  });

  await point("a task that waits for its next try can be cancelled, and pools close", async () => {
    const retried = event(pool, "Task.Retried");
    const task = pool.run(shaky(9).with({ retry: "1h" }));
    const other = pool.run(shaky(9).with({ retry: "1h" }));
    other.catch(() => {});
    await retried;
    assert.equal(task.status, "queued");
    task.cancel();
    assert.equal((await failure(task)).code, "SKY_TASK_CANCELLED");
  });
});
