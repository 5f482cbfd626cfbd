import { expect, test } from "vitest";
import { runProgram } from "../support/program.ts";

test("values that cross as arguments and results", async () => {
  const { code, points, report } = await runProgram("test/surface/programs/values.ts");
  expect(points, report).toEqual([
    ...["thread", "process"].flatMap((executor) => [
      `${executor}: blobs are arguments and results`,
      `${executor}: files keep name, time and identity`,
      `${executor}: captured, streamed, and by reference`,
    ]),
    "one that stands for a file is refused",
    "a sparse array costs what is in it",
  ]);
  expect(code, report).toBe(0);
});
