import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runProgram } from "../support/program.ts";

test("a trace of a pool", async () => {
  const dir = await mkdtemp(join(tmpdir(), "sky-trace-"));
  try {
    const { code, points, report } = await runProgram("test/surface/programs/trace.ts", { args: [dir] });
    expect(points, report).toEqual([
      "what can't be written is refused at once",
      "a process for the pool and each node, a row for each slot",
      "tasks from the call on, with what they took, waited and came to",
      "steps of the nodes from the very first, transfers, counts",
      "a trace that is stopped ends there",
    ]);
    expect(code, report).toBe(0);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});
