import { expect, test } from "vitest";
import { runProgram } from "../support/program.ts";

test("the process executor", async () => {
  const { code, points, report } = await runProgram("test/surface/programs/process.ts");
  expect(points, report).toEqual([
    "each slot is a process of its own, and goes on to the next task",
    "each process is a worker of its node",
    "values, errors, outputs and task context are those of threads",
    "short tasks behind a blocked one run elsewhere",
    "what a function writes to its descriptors by itself is its task's",
    "a segmentation fault harms its task only, which says so",
    "process.exit",
    "abort",
    "kill -9 from outside",
    "an error that nobody caught",
    "what a dead process has started ends with it, wherever it went",
    "a program without arguments, and without descriptors of ours in its children",
    "a lost task runs again",
    "a full heap",
    "worker.reuseProcesses: false gives each task a process of its own",
    "fresh processes: cancelled while it waits, and while it runs",
    "worker.buffer: so many tasks wait on the node",
    "worker's options are checked",
  ]);
  expect(code, report).toBe(0);
});
