import { expect, test } from "vitest";
import { runProgram } from "../support/program.ts";

test("what a function sees of its program", async () => {
  const { code, points, report } = await runProgram("test/surface/programs/values-in-scope.ts");
  expect(points, report).toEqual([
    "a let is read at each call",
    "a captured object is read at each call",
    "arguments are taken at the call",
    "what a task changes stays on the node",
    "functions and classes beside it",
    "imports of own files, node's modules and packages",
    "a module is loaded once in an executor, whoever imports it",
    "values of a local scope, and of a loop's turn",
    "what can't travel is refused by name",
  ]);
  expect(code, report).toBe(0);
});
