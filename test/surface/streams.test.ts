import { test } from "vitest";
import { runProgram } from "../support/program.ts";

const EXECUTORS = ["thread", "process"];

test.for(EXECUTORS)("streams of results, executor %s", async (executor, { expect }) => {
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
    "an error that reaches nobody ends its task's stream",
    "generators that share a thread keep their own task",
    "a stream that is never read does not hold up the end of its pool",
  ]);
  expect(code, report).toBe(0);
});
