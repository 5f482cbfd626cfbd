import { expect, test } from "vitest";
import { runProgram } from "../support/program.ts";

const CALLS = [
  "map of a list",
  "map of an iterable",
  "map of an async iterable",
  "starmap",
  "starmap of an iterable",
  "gather",
  "gather of a list",
  "broadcast",
];

test("calls of which some tasks fail", async () => {
  const { code, points, report } = await runProgram("test/surface/programs/partial-failure.ts");
  expect(points, report).toEqual([
    ...CALLS.flatMap((call) => [
      `${call}: ends as data, awaited, in a loop, as they come, and twice`,
      `${call}: a plain loop gives what stands before the failure, and throws it`,
    ]),
    "BroadcastError has the answers of all, by rank",
    "cancel: what has ended stays, the rest is cancelled",
    "leaving a loop ends the items' own generator, and what runs goes on",
    "items that can't be pulled: all ends before, then why",
    "arguments that can't travel fail their own task",
    "a pool that closes ends every loop",
    "failures that nobody looked at are told at the end, others are not",
  ]);
  expect(code, report).toBe(0);
});
