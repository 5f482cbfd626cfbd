import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { readBlocks } from "../../src/pool/results/series-file.ts";
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

/** Runs the sweep so that it can be resumed, until it has shown so many results (then it is killed) or is done. */
async function resumable(cache: string, until: number): Promise<{ shown: number; served: number; output: string }> {
  const args = ["--import", "tsx", "--conditions=skyward:source", "examples/01-sweep.ts", "--resume"];
  const child = spawn(process.execPath, args, { cwd: root, env: { ...process.env, XDG_CACHE_HOME: cache } });
  let output = "";
  const shown = (): number => output.match(/^ ?\d+ of 45 {3}/gm)?.length ?? 0;
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      if (shown() >= until) child.kill("SIGKILL");
    });
  await once(child, "close");
  return { shown: shown(), served: Number(/score: (\d+) results? served from cache/.exec(output)?.[1] ?? 0), output };
}

/** How many results were ever written, each time that one was. */
async function written(cache: string): Promise<number> {
  const folder = join(cache, "skyward/results");
  let count = 0;
  for (const series of await readdir(folder))
    for (const file of await readdir(join(folder, series))) await readBlocks(join(folder, series, file), () => count++);
  return count;
}

describe("examples/01-sweep.ts", () => {
  it("killed at half and run again, runs only the other half", async () => {
    const cache = await mkdtemp(join(tmpdir(), "skyward-cache-"));
    try {
      const first = await resumable(cache, 22);
      expect(first.shown, first.output).toBeLessThan(45);
      const kept = await written(cache);
      // What was seen is kept, and perhaps what was on its way to the eye.
      expect(kept).toBeGreaterThanOrEqual(first.shown);
      expect(kept).toBeLessThan(45);
      const second = await resumable(cache, Infinity);
      expect([second.shown, second.served], second.output).toEqual([45, kept]);
      // Each of the 45 was worked out once.
      expect(await written(cache)).toBe(45);
      const third = await resumable(cache, Infinity);
      expect([third.shown, third.served], third.output).toEqual([45, 45]);
      expect(await written(cache)).toBe(45);
      const ranks = (output: string): string => output.slice(output.indexOf("rank "));
      expect(ranks(third.output)).toBe(ranks(second.output));
    } finally {
      await rm(cache, { recursive: true, force: true });
    }
  });

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
