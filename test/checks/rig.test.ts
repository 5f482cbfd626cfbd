import { spawn } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";

const root = join(import.meta.dirname, "../..");
const dir = mkdtempSync(join(tmpdir(), "sky-no-docker-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** A computer with a docker command that reaches no daemon, and no daemon to start. */
function withoutDocker(): NodeJS.ProcessEnv {
  for (const tool of ["bash", "env", "mkdir", "flock", "cat", "id"]) symlinkSync(`/usr/bin/${tool}`, join(dir, tool));
  symlinkSync(process.execPath, join(dir, "node"));
  writeFileSync(join(dir, "docker"), "#!/bin/sh\necho 'Cannot connect to the Docker daemon' >&2\nexit 1\n");
  chmodSync(join(dir, "docker"), 0o755);
  return { HOME: dir, XDG_CACHE_HOME: dir, TMPDIR: dir, PATH: dir, CI: "true", NO_COLOR: "1" };
}

it("where Docker can't run, the suites that need machines fail and say why", async () => {
  const words = ["node_modules/vitest/vitest.mjs", "run", "--project", "machines", "test/rig/rig.test.ts"];
  const child = spawn(process.execPath, words, { cwd: root, env: withoutDocker(), stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const code = await new Promise((resolve) => child.once("close", resolve));
  expect(said).toMatch(/Docker can't run here, so no test that needs machines can: Docker does not answer/);
  expect(said).not.toMatch(/\d+ passed|\d+ skipped/);
  expect(code).toBe(1);
});
