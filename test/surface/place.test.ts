import { expect, test } from "vitest";
import { runProgram } from "../support/program.ts";

test("what a function knows of its place", async () => {
  const { code, points, report } = await runProgram("test/surface/programs/place.ts");
  expect(points, report).toEqual([
    "instanceInfo on every node",
    "isHead on one",
    "shard covers everything once",
    "task: id, attempt, signal, slot",
    "task() after awaits is the same task, beside another one",
    "progress reaches the events",
    "once: made once in an executor, again where it failed",
    "a pool's environment reaches its tasks, and what one sets reaches no other node",
    "a body that asks for another's place fails clearly",
  ]);
  expect(code, report).toBe(0);
});
