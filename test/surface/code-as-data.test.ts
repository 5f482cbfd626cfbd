import { expect, test } from "vitest";
import { runProgram } from "../support/program.ts";

test("functions and instances as arguments and results", async () => {
  const { code, points, report } = await runProgram("test/surface/programs/code-as-data.ts");
  expect(points, report).toEqual([
    "functions as arguments",
    "closures in a map",
    "sky.fn functions as arguments",
    "a function that came back is the same",
    "instances, there and back",
    "classes of own modules",
    "classes with a codec",
    "errors",
    "what can't travel fails its own task",
  ]);
  expect(code, report).toBe(0);
});
