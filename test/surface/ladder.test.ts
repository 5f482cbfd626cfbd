import { expect, test } from "vitest";
import { runProgram } from "../support/program.ts";

const RUNGS = [
  "an async nap",
  "a body that hears its signal",
  "a hung fetch",
  "a busy loop",
  "a catastrophic regular expression",
  "Atomics.wait",
  "execSync",
  "native code that computes",
  "a child",
  "a child that left the session",
];

const POINTS = [
  ...RUNGS.map((rung) => `${rung}: cancelled`),
  "a busy loop: its time is over",
  "an async nap: its time is over",
  "a busy loop: an aborted signal",
  "the signal of a task fires with the reason",
  "the signal of a task fires with the caller's own reason",
  "rerun: never beside a culprit is SKY_TASK_LOST, which names it",
  "a cancelled task of the queue sends nothing",
  "progress reaches the task and the events",
  "closing a pool tells its tasks why",
  "closing a pool under every rung leaves nothing",
];

test.concurrent.each(["thread", "process"])("stopping under the %s executor", async (executor) => {
  const { code, points, report } = await runProgram("test/surface/programs/ladder.ts", { args: [executor] });
  expect(points, report).toEqual(POINTS);
  expect(code, report).toBe(0);
});
