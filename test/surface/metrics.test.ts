import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runProgram } from "../support/program.ts";

/** The same lines as the real one, for a machine with two GPUs; without an interval it is not asked for these. */
const NVIDIA_SMI = `#!/bin/sh
case "$*" in *-lms*) ;; *) exit 1 ;; esac
for word; do last=$word; done
while :; do
  printf '0, 97, 10, 80000, 65\\n1, 98, 20, 80000, 66\\n'
  sleep "$(awk "BEGIN { print $last / 1000 }")"
done
`;

test("what nodes tell of themselves", async () => {
  const tools = mkdtempSync(join(tmpdir(), "sky-tools-"));
  writeFileSync(join(tools, "nvidia-smi"), NVIDIA_SMI);
  chmodSync(join(tools, "nvidia-smi"), 0o755);
  const env = { PATH: `${tools}:${process.env["PATH"]}` };
  const { code, points, report } = await runProgram("test/surface/programs/metrics.ts", { env });
  rmSync(tools, { recursive: true });
  expect(points, report).toEqual([
    "the usual ones, with each GPU by its number",
    "named ones, each at its interval, and a command's number",
    "no process is started for a sample, and the first comes at once",
    "no process goes on behind the pool",
    "null is none",
    "bad ones are refused before anything is made",
  ]);
  expect(code, report).toBe(0);
});
