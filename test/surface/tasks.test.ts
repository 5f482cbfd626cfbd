import { expect, test } from "vitest";
import { runProgram } from "../support/program.ts";

test("the life of a task", async () => {
  const { code, points, report } = await runProgram("test/surface/programs/tasks.ts");
  expect(points, report).toEqual([
    "a task is awaited lazily, and as often as one likes",
    "status: queued, running, done; failed; cancelled",
    "attempts and timing",
    "cancel, running: the signal fires, the caller knows at once, the slot is free",
    "cancel, queued: it never starts",
    "signal: aborted before, while queued, while running",
    "signal of a map, a group and a broadcast",
    "single runs start first in, first out",
    "queueTimeout is the time before the start",
  ]);
  expect(code, report).toBe(0);
});
