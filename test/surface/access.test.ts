import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runProgram } from "../support/program.ts";
import { Sshd } from "../support/sshd.ts";

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "sky-home-"));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const PROGRAMS = {
  access: [
    "exec on every node: output, environment, words as they are",
    "exec tells failures, limits and cancels, and leaves nothing running",
    "commands end with the pool",
    "exec tells its output as it comes",
    "a shell with a terminal",
  ],
  files: [
    "a file there and back, into a folder, with progress",
    "nodes that share a disk don't disturb each other",
    "a folder with links and modes, without what is excluded",
    "a copy that was cut goes on where it was",
    "rm, and paths that are not there",
  ],
};

for (const [name, expected] of Object.entries(PROGRAMS)) {
  test(`${name}, on this computer`, async () => {
    const { code, points, report } = await runProgram(`test/surface/programs/${name}.ts`, { env: { TEST_HOME: home } });
    expect(points, report).toEqual(expected);
    expect(code, report).toBe(0);
  });

  test(`${name}, over SSH`, async () => {
    await using sshd = await Sshd.start({ env: { HOME: home, XDG_CACHE_HOME: `${home}/.cache` } });
    const ssh = { hosts: [sshd.target, sshd.target], key: sshd.key, knownHosts: sshd.knownHosts };
    const env = { SSH: JSON.stringify(ssh), TEST_HOME: home };
    const { code, points, report } = await runProgram(`test/surface/programs/${name}.ts`, { env });
    expect(points, report).toEqual(expected);
    expect(code, report).toBe(0);
  });
}
