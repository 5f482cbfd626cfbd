import { expect, test } from "vitest";
import { runProgram } from "../support/program.ts";

test("calls that are wrong", async () => {
  const { code, points, report } = await runProgram("test/surface/programs/refusals.ts");
  expect(points, report).toEqual([
    "sky.fn: unknown options, bare numbers, no function",
    "compute: unknown options, durations, names, values",
    "compute: nodes",
    "nothing had been provisioned",
    "targets",
    "options of calls",
    "not a pending: a function, a promise, a value",
    "an argument that can't travel",
    "compute inside a shipped function",
    "the task's own names, outside a task",
    "the pool still works",
  ]);
  expect(code, report).toBe(0);
});
