import { expect, test } from "vitest";
import { runProgram } from "../support/program.ts";

test("tasks that are tried again", async () => {
  const { code, points, report } = await runProgram("test/surface/programs/retries.ts");
  expect(points, report).toEqual([
    "by default an error is not tried again",
    "a number: so many tries more, then the last error",
    "a delay: up to three tries more, so far apart; one timer for all",
    "a decision: told plain data, and how many tries have counted; it may name a delay",
    "thrown values that are no errors, and time limits",
    "losses: their cause, and the limit that a number sets for them too",
    "a decision that throws, or gives a promise, has not said yes, and that is told",
    "what can't be a rule is refused when it is given",
    "a task that waits for its next try can be cancelled, and pools close",
  ]);
  expect(code, report).toBe(0);
});
