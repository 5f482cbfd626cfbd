import { expect, test } from "vitest";
import { runProgram } from "../support/program.ts";

test("the thread executor", async () => {
  const { code, points, report } = await runProgram("test/surface/programs/executor.ts");
  expect(points, report).toEqual([
    "concurrency 2 uses both cores",
    "ten bodies that block their thread, ten at a time: Atomics.wait",
    "ten bodies that block their thread, ten at a time: execFileSync",
    "one body that blocks does not keep others waiting",
    "naps stand side by side, as many as there are slots",
    "process.exit",
    "process.exit after an await",
    "a segmentation fault",
    "abort is an error: threads have none",
    "kill -9",
    "rerun: never is at most once",
    "a lost task that runs again ends with its result",
    "a map through the death of its host",
    "an error thrown in a timer fails its own task",
    "a rejection that nobody handles fails its own task",
    "an error in a timer after the task's end costs nobody a result",
    "after killGrace the thread of a busy loop is another one, in the same host",
    "a body in native code that does not come back takes its host with it",
    "a full heap ends its task, and the one beside it has its result",
  ]);
  expect(code, report).toBe(0);
});
