import { expect, test } from "vitest";
import { runProgram } from "../support/program.ts";

test("functions that a pool is told of", async () => {
  const { code, points, report } = await runProgram("test/surface/programs/functions.ts");
  expect(points, report).toEqual([
    "entries that are no functions are refused by their index",
    "a function that can't travel is refused before there is a machine",
    "what was listed is on every node when it is ready: the first task sends little",
    "a function that is first seen later says which nodes run meanwhile",
    "also on a node that takes the place of a dead host",
  ]);
  expect(code, report).toBe(0);
});
