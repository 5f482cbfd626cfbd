import { expect, test } from "vitest";
import { runProgram } from "../support/program.ts";

test("opening and closing pools", async () => {
  const { code, points, report } = await runProgram("test/surface/programs/pools.ts");
  expect(points, report).toEqual([
    "the callback's result, and its pool is closed behind it",
    "an error of the callback passes through, and what ran is ended",
    "await using",
    "close, more than once",
    "nodes: a number, a range, and each by name",
    "two pools at once",
    "a session: several pools, one lifetime",
    "a signal closes the pool, or never opens it",
    "snapshot and events tell what happened",
  ]);
  expect(code, report).toBe(0);
});
