import { execFile } from "node:child_process";
import { copyFile, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { Sshd } from "../support/sshd.ts";

const root = join(import.meta.dirname, "../..");

/** What the sweep prints, run as its README command does. */
async function sweep(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
  const { stdout } = await promisify(execFile)(
    join(root, "node_modules/.bin/tsx"),
    ["--conditions=skyward:source", "examples/01-sweep.ts", ...args],
    { cwd: root, env: { ...process.env, ...env }, timeout: 110_000 },
  );
  return stdout;
}

function expectSweep(stdout: string, place: string): void {
  const progress = stdout.match(/^ ?\d+ of 45 {3}.*/gm) ?? [];
  expect(progress).toHaveLength(45);
  expect(progress.filter((line) => line.endsWith("on average"))).toHaveLength(9);
  const ranked = [...stdout.matchAll(/^\d +.* {3}([\d.]+) % {3}[\d.]+ %$/gm)].map((match) => Number(match[1]));
  expect(ranked).toHaveLength(9);
  expect(ranked).toEqual([...ranked].sort((a, b) => b - a));
  expect(ranked[0]).toBeGreaterThan(85);
  expect(stdout).toContain(`${place}, from opening the pool to its end: `);
  expect(stdout).toMatch(/the same work in this process: [\d.]+ s, [\d.]+ times as long/);
}

describe("examples/01-sweep.ts", () => {
  it("sweeps on four local nodes, ranks every setting, and compares with one process", async () => {
    expectSweep(await sweep([]), "4 local nodes");
  });

  it("does the same, unchanged, on a machine that is reached by SSH", async () => {
    await using sshd = await Sshd.start();
    // The key and the known host lie where everybody's do.
    const home = await mkdtemp(join(tmpdir(), "skyward-home-"));
    await mkdir(join(home, ".ssh"), { mode: 0o700 });
    await copyFile(sshd.key, join(home, ".ssh/id_ed25519"));
    await copyFile(sshd.knownHosts, join(home, ".ssh/known_hosts"));
    try {
      expectSweep(await sweep(["--ssh", sshd.target, "--nodes", "2"], { HOME: home, SSH_AUTH_SOCK: "" }), sshd.target);
    } finally {
      await rm(home, { recursive: true, force: true });
    }
  });
});
