import { test } from "vitest";
import { runProgram } from "../support/program.ts";

const EXECUTORS = ["thread", "process"];

test.concurrent.for(EXECUTORS)("streams of results, executor %s", async (executor, { expect }) => {
  const { code, points, report } = await runProgram("test/surface/programs/streams.ts", { args: [executor] });
  expect(points, report).toEqual([
    "elements come in order, of whatever kind, and a stream is read once",
    "a task is iterated directly",
    "a plain function that returns a generator gives a stream too",
    "it begins with its first element, long before its last",
    "an error comes at its element, in its class, with its place",
    "break runs the generator's finally on the node, waits for it, and frees the slot",
    "break of a task's own loop, return(), throw() and disposal do the same",
    "an error in that finally is what leaving rejects with",
    "a generator that does not come to its next element is given up after killGrace",
    "leaving fires the signal, so that a generator can stop waiting",
    "cancel and signal end a stream at once, and its generator",
    "with a consumer that stops, the generator stops at the window",
    "a stream that nobody holds any more is ended",
    "streams in groups and maps stand in their places",
    "large elements keep their place among small ones",
    "a retry rule holds until the first element has come",
    "a stream on its way is lost with its process; one that had not begun runs again",
    "the default run limit is not for streams, one that is asked for is",
    "a broadcast gives a stream for each node",
    "generators that share a thread keep their own task",
    "a stream that is never read does not hold up the end of its pool",
  ]);
  expect(code, report).toBe(0);
});

test.concurrent.for(EXECUTORS)("streams of arguments, executor %s", async (executor, { expect }) => {
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
