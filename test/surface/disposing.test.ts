import { expect, test } from "vitest";
import { runProgram } from "../support/program.ts";

test("what sky.once made is disposed with its executor", async () => {
  const { code, points, report } = await runProgram("test/surface/programs/disposing.ts");
  expect(points, report).toEqual([
    "thread: when the pool closes, the newest first",
    "thread: a dispose that hangs or throws keeps no pool open, and the others are disposed",
    "process: when the pool closes, the newest first",
    "process: a dispose that hangs or throws keeps no pool open, and the others are disposed",
    "a process for one task disposes when the task has ended",
  ]);
  expect(code, report).toBe(0);
});
