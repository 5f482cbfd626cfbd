// What goes wrong inside a task, as its caller sees it.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import * as sky from "skyward";
import { failure, holds, point } from "../../support/point.ts";
import { Person } from "./own/person.ts";

class Overdrawn extends Error {
  readonly missing: number;
  override readonly name = "Overdrawn";
  constructor(missing: number, options?: ErrorOptions) {
    super(`${missing} more needed`, options);
    this.missing = missing;
  }
}

/** The line of this file that holds the text. */
function lineOf(text: string): number {
  const lines = readFileSync(fileURLToPath(import.meta.url), "utf8").split("\n");
  return lines.findIndex((line) => line.includes(text) && !line.includes("lineOf")) + 1;
}

function check(amount: number): number {
  if (amount > 3) throw new RangeError(`no more than 3: ${amount}`); // thrown here
  return amount;
}

await sky.compute({ worker: { killGrace: "300ms" }, console: "silent" }, async (pool) => {
  const works = async (): Promise<void> => assert.equal(await pool.run(sky.fn(() => 1)()), 1);

  await point("a class of the function's scope: instanceof, own properties, cause", async () => {
    const error = await failure(
      pool.run(
        sky.fn(() => {
          throw new Overdrawn(5, { cause: new TypeError("deep", { cause: "deeper" }) });
        })(),
      ),
    );
    holds(error instanceof Overdrawn, `a ${error.constructor.name}`);
    assert.deepEqual([error.name, error.message, error.missing], ["Overdrawn", "5 more needed", 5]);
    holds(error.cause instanceof TypeError);
    assert.deepEqual([error.cause.message, error.cause.cause], ["deep", "deeper"]);
  });

  await point("built-in classes", async () => {
    const thrower = sky.fn((kind: string) => {
      if (kind === "range") throw new RangeError("r");
      if (kind === "type") (undefined as unknown as { x: number }).x++;
      if (kind === "all") throw new AggregateError([new SyntaxError("s"), 2], "both");
      throw new DOMException("gone", "AbortError");
    });
    holds((await failure(pool.run(thrower("range")))) instanceof RangeError);
    holds((await failure(pool.run(thrower("type")))) instanceof TypeError);
    const all = await failure(pool.run(thrower("all")));
    holds(all instanceof AggregateError);
    holds(all.errors[0] instanceof SyntaxError && all.errors[1] === 2);
    const aborted = await failure(pool.run(thrower("dom")));
    holds(aborted instanceof DOMException);
    assert.equal(aborted.name, "AbortError");
  });

  await point("a class that is not in reach: RemoteError with its name and data", async () => {
    const error = await failure(pool.run(sky.fn((given: unknown) => Person.parse(given))({ name: 1 })));
    assert.equal(error.name, "ZodError");
    holds(error instanceof sky.RemoteError, `a ${error.constructor.name}`);
    holds(Array.isArray((error as unknown as { issues: unknown[] }).issues), "its issues are there");
  });

  await point("own properties of plain errors", async () => {
    const error = await failure(
      pool.run(
        sky.fn(() => {
          throw Object.assign(new Error("no such file"), { code: "ENOENT", list: [1, 2] });
        })(),
      ),
    );
    assert.deepEqual(Object.fromEntries(Object.entries(error)), { code: "ENOENT", list: [1, 2] });
  });

  await point("the stack starts at the line of this file", async () => {
    const error = await failure(pool.run(sky.fn((amount: number) => check(amount))(7)));
    const [first] = error.stack!.split("\n").filter((line) => /^\s+at /.test(line));
    holds(first!.includes("errors.ts"), error.stack);
    assert.equal(Number(/:(\d+):\d+\)?$/.exec(first!)![1]), lineOf("// thrown here"), first);
    holds(!/sky-0|agent\.js|node:internal/.test(error.stack!), error.stack);
    const late = await failure(
      pool.run(
        sky.fn(async () => {
          await sleep(1);
          throw new Error("late"); // thrown later
        })(),
      ),
    );
    assert.match(late.stack!.split("\n")[1]!, new RegExp(`errors\\.ts:${lineOf("// thrown later")}:`));
  });

  await point("what is thrown need not be an error", async () => {
    const thrown = async (value: unknown): Promise<unknown> => {
      try {
        await pool.run(
          sky.fn((what: unknown) => {
            throw what;
          })(value),
        );
      } catch (error) {
        return error;
      }
      throw new Error("should have failed");
    };
    assert.equal(await thrown("text"), "text");
    assert.equal(await thrown(undefined), undefined);
    assert.equal(await thrown(null), null);
    assert.deepEqual(await thrown({ code: 3 }), { code: 3 });
  });

  await point("a result that can't travel is an error of its task", async () => {
    const error = await failure(pool.run(sky.fn(() => ({ ok: 1, run: () => 1 }))()));
    assert.equal(error.code, "SKY_VALUE_UNSERIALIZABLE");
    assert.match(error.message, /run/);
    await works();
  });

  await point("timeout of a nap: on time, saying which limit", async () => {
    const began = performance.now();
    const error = await failure(pool.run(sky.fn(() => sleep(60_000), { timeout: "200ms" })()));
    const took = performance.now() - began;
    holds(error instanceof sky.SkyError);
    assert.equal(error.code, "SKY_TASK_TIMEOUT");
    assert.match(error.message, /run limit.*0\.2 s.*timeout/);
    holds(error.hint.includes("timeout"), error.hint);
    assert.equal(error.details["limit"], "timeout");
    holds(took >= 190 && took < 1500, `after ${took} ms`);
    await works();
  });

  await point("timeout of a busy loop: on time, and its thread is replaced", async () => {
    const began = performance.now();
    const error = await failure(
      pool.run(
        sky.fn(
          () => {
            for (;;);
          },
          { timeout: "200ms" },
        )(),
      ),
    );
    const took = performance.now() - began;
    assert.equal(error.code, "SKY_TASK_TIMEOUT");
    holds(took >= 190 && took < 1500, `after ${took} ms`);
    await works();
    holds(performance.now() - began < 5000, "its slot came back too late");
  });

  await point("a busy loop that is cancelled ends", async () => {
    const task = pool.run(
      sky.fn(() => {
        for (;;);
      })(),
    );
    const other = pool.run(sky.fn(() => 2)());
    task.cancel();
    assert.equal((await failure(task)).code, "SKY_TASK_CANCELLED");
    assert.equal(await other, 2);
  });

  await point("retry decides over a function's errors", async () => {
    const flaky = sky.fn((until: number) => {
      const { attempt } = sky.task();
      if (attempt < until) throw new RangeError(`attempt ${attempt}`);
      return attempt;
    });
    assert.equal(await pool.run(flaky(3).with({ retry: 2 })), 3);
    const task = pool.run(flaky(9).with({ retry: 2 }));
    assert.equal((await failure(task)).message, "attempt 3");
    assert.deepEqual(
      task.attempts.map(({ attempt }) => attempt),
      [1, 2, 3],
    );
    assert.match(task.attempts[0]!.reason!, /attempt 1/);
    assert.equal((await failure(pool.run(flaky(2)))).message, "attempt 1");
    const asked: unknown[] = [];
    const rule = (seen: { kind: string; name: string }, attempt: number): boolean =>
      asked.push([seen.kind, seen.name, attempt]) < 2;
    assert.equal((await failure(pool.run(flaky(9).with({ retry: rule })))).message, "attempt 2");
    assert.deepEqual(asked, [
      ["error", "RangeError", 1],
      ["error", "RangeError", 2],
    ]);
  });

  await point("a failure says where it happened", async () => {
    const task = pool.run(sky.fn(() => JSON.parse("{") as unknown)());
    const error = (await failure(task)) as Error & { sky?: unknown };
    assert.deepEqual(error.sky, { node: 0, task: task.id, attempt: 1 });
  });
});
