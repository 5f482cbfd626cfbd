// What bodies print, and where it goes. Its own stderr is the console; the test beside it reads that too.
import assert from "node:assert/strict";
import * as sky from "skyward";
import { event, failure, holds, point } from "../../support/point.ts";

interface Line {
  readonly task: string | undefined;
  readonly node: number | undefined;
  readonly stream: string;
  readonly message: string;
}

/** The lines of the log up to one that says `until`. */
async function lines(pool: sky.Pool, until: string): Promise<Line[]> {
  const all: Line[] = [];
  for await (const one of pool.events) {
    if (one.type !== "Log.Emitted") continue;
    if (one.message === until) return all;
    all.push({ task: one.task, node: one.node, stream: one.stream, message: one.message });
  }
  return all;
}
const end = sky.fn((text: string) => console.log(text), { name: "end" });

await sky.compute({ nodes: 2, worker: { concurrency: 2, killGrace: "200ms" } }, async (pool) => {
  await point("stdout, stderr and console, with node and task", async () => {
    const seen = lines(pool, "end 1");
    const task = pool.run(
      sky.fn(() => {
        console.log("by console.log", { a: 1 });
        console.error("by console.error");
        process.stdout.write("by write, ");
        process.stdout.write("in two parts\nand another\nunfinished");
      })(),
      { target: 1 },
    );
    await task;
    await pool.run(end("end 1"), { target: 1 });
    const of = (stream: string, message: string): Line => ({ task: task.id, node: 1, stream, message });
    const got = await seen;
    assert.deepEqual(
      got.filter(({ stream }) => stream === "stdout"),
      [
        of("stdout", "by console.log { a: 1 }"),
        of("stdout", "by write, in two parts"),
        of("stdout", "and another"),
        of("stdout", "unfinished"),
      ],
    );
    assert.deepEqual(
      got.filter(({ stream }) => stream === "stderr"),
      [of("stderr", "by console.error")],
    );
  });

  await point("slots that share a node are told apart, through awaits", async () => {
    const seen = lines(pool, "end 2");
    const chatty = sky.fn(async () => {
      const { id } = sky.task();
      for (let i = 0; i < 5; i++) {
        console.log(`I am ${id}`);
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    });
    await pool.map(chatty, Array.from<never>({ length: 12 }), { target: 0 });
    await pool.run(end("end 2"), { target: 0 });
    const got = await seen;
    assert.equal(got.length, 60);
    for (const { task, message } of got) assert.equal(message, `I am ${task}`);
  });

  await point("stdout: head, a predicate, silent", async () => {
    const seen = lines(pool, "end 3");
    const say = sky.fn((what: string) => {
      console.log(what, sky.instanceInfo().node);
      console.error(what, "err", sky.instanceInfo().node);
    });
    await pool.broadcast(say("head").with({ stdout: "head" }));
    await pool.broadcast(say("second").with({ stdout: ({ node }) => node === 1, stderr: () => false }));
    await pool.broadcast(say("silent").with({ silent: true }));
    await pool.broadcast(end("end of a node"));
    await pool.run(end("end 3"));
    const got = (await seen).map(({ message }) => message).filter((message) => message !== "end of a node");
    assert.deepEqual(got.toSorted(), ["head 0", "head err 0", "head err 1", "second 1"].toSorted());
  });

  await point("redirectOutput takes the output to a callback", async () => {
    const seen = lines(pool, "end 4");
    const captured = await pool.run(
      sky.fn(async () => {
        const got: string[] = [];
        console.log("before");
        await sky.redirectOutput(
          (line, stream) => got.push(`${stream}: ${line}`),
          async () => {
            console.log("inside");
            await new Promise((resolve) => setTimeout(resolve, 1));
            console.error("inside too");
            process.stdout.write("no end");
          },
        );
        {
          using _ = sky.redirectOutput((line) => got.push(line));
          console.log("using");
        }
        console.log("after");
        return got;
      })(),
      { target: 0 },
    );
    assert.deepEqual(captured, ["stdout: inside", "stderr: inside too", "stdout: no end", "using"]);
    await pool.run(end("end 4"), { target: 0 });
    assert.deepEqual(
      (await seen).map(({ message }) => message),
      ["before", "after"],
    );
  });

  await point("lines printed just before a busy loop arrive", async () => {
    const line = event(pool, "Log.Emitted", ({ message }) => message === "last words");
    const failed = failure(
      pool.run(
        sky.fn(
          () => {
            console.log("last words");
            for (;;);
          },
          { timeout: "300ms" },
        )(),
      ),
    );
    await line;
    assert.equal((await failed).code, "SKY_TASK_TIMEOUT");
  });

  await point("lines printed just before the process dies arrive", async () => {
    const line = event(pool, "Log.Emitted", ({ message }) => message === "dying words");
    const failed = failure(
      pool.run(
        sky.fn(
          () => {
            console.log("dying words");
            process.exit(1);
          },
          { rerun: "never" },
        )(),
      ),
    );
    await line;
    assert.equal((await failed).code, "SKY_TASK_LOST");
  });

  await point("10,000 lines keep their order", async () => {
    const seen = lines(pool, "end 5");
    await pool.run(
      sky.fn(
        () => {
          for (let i = 0; i < 10_000; i++) console.log(i);
        },
        { name: "many" },
      )(),
      { target: 0 },
    );
    await pool.run(end("end 5"), { target: 0 });
    const got = await seen;
    holds(got.length > 0);
    const numbers = got.map(({ message }) => Number(message));
    holds(
      numbers.every((n, i) => i === 0 || n > numbers[i - 1]!),
      "out of order",
    );
  });

  await point("escapes of a body do not reach the terminal", async () => {
    const line = event(pool, "Log.Emitted", ({ message }) => message.includes("coloured"));
    await pool.run(sky.fn(() => console.log("\u001b[31mcoloured\u001b[0m \u001b]0;title\u0007\u001b[2Jcleared"))(), {
      target: 1,
    });
    await line;
  });
});
