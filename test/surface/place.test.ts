import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runProgram } from "../support/program.ts";

/** As the real one answers when it is asked for names and memory. */
const NVIDIA_SMI = `#!/bin/sh
[ "$1" = --query-gpu=name,memory.total ] || exit 1
printf 'NVIDIA A100-PCIE-40GB, 40960\\nNVIDIA A100-PCIE-40GB, 40960\\n'
`;

test("what a function knows of its place", async () => {
  const tools = mkdtempSync(join(tmpdir(), "sky-tools-"));
  writeFileSync(join(tools, "nvidia-smi"), NVIDIA_SMI);
  chmodSync(join(tools, "nvidia-smi"), 0o755);
  const env = { PATH: `${tools}:${process.env["PATH"]}` };
  const { code, points, report } = await runProgram("test/surface/programs/place.ts", { env });
  rmSync(tools, { recursive: true });
  expect(points, report).toEqual([
    "instanceInfo on every node",
    "isHead on one",
    "shard covers everything once",
    "task: id, attempt, signal, slot",
    "task() after awaits is the same task, beside another one",
    "progress reaches the events",
    "once: made once in an executor, again where it failed",
    "a pool's environment reaches its tasks, and what one sets reaches no other node",
    "a body that asks for another's place fails clearly",
  ]);
  expect(code, report).toBe(0);
});
