import { expect, test } from "vitest";
import { runProgram } from "../support/program.ts";

test("what goes wrong inside a task", async () => {
  const { code, points, report } = await runProgram("test/surface/programs/errors.ts");
  expect(points, report).toEqual([
    "a class of the function's scope: instanceof, own properties, cause",
    "built-in classes",
    "a class that is not in reach: RemoteError with its name and data",
    "own properties of plain errors",
    "the stack starts at the line of this file",
    "what is thrown need not be an error",
    "a result that can't travel is an error of its task",
    "timeout of a nap: on time, saying which limit",
    "timeout of a busy loop: on time, and its thread is replaced",
    "a busy loop that is cancelled ends",
    "retry decides over a function's errors",
    "a failure says where it happened",
  ]);
  expect(code, report).toBe(0);
});
