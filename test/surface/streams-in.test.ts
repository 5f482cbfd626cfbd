import { test } from "vitest";
import { runProgram } from "../support/program.ts";

const EXECUTORS = ["thread", "process"];

test.for(EXECUTORS)("streams of arguments, executor %s", async (executor, { expect }) => {
  const { code, points, report } = await runProgram("test/surface/programs/streams-in.ts", { args: [executor] });
  expect(points, report).toEqual([
    "whatever can be iterated asynchronously streams, and so do iterators",
    "an array, a Map and an instance of a registered class are values, and not streams",
    "a source is read when the body asks, and left when the body has enough",
    "a source's error comes at its element",
    "both at once pipe: each element as it comes, and the end of one is the end of the other",
    "with a body that stops reading, the source is read to the window only",
    "large elements keep their place",
    "maps, groups and broadcasts take streams",
    "what can be read once is given to one call",
    "inside an argument a source is refused, and read without await it says how it is read",
    "a task that had read of its argument can't run again, one that had not can",
    "the default run limit is not for a task that reads a stream",
  ]);
  expect(code, report).toBe(0);
});

test("a consumer that stops: both ends hold the window and no more", async ({ expect }) => {
  const { code, points, report } = await runProgram("test/surface/programs/streams-memory.ts");
  expect(points, report).toEqual([
    "at once: neither end grows",
    "after it was the faster one, so that the window is large: neither end grows beyond it",
    "a body that stops reading: neither end grows",
  ]);
  expect(code, report).toBe(0);
});
