import { expect, test } from "vitest";
import { runProgram } from "../support/program.ts";

test("the forms of a call", async () => {
  const { code, points, report } = await runProgram("test/surface/programs/calls.ts");
  expect(points, report).toEqual([
    "run",
    "gather gives a tuple",
    "gather takes an iterable",
    "a group is one failure or all results",
    "broadcast gives results by rank",
    "BroadcastError has every node's answer",
    "target: a rank, or the head",
    "a pending is frozen, and never thenable",
    "options by .with, of a call, a function and a group",
    "fn.local runs here",
    "many runs at once",
  ]);
  expect(code, report).toBe(0);
});
