import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runProgram } from "../support/program.ts";
import { Sshd } from "../support/sshd.ts";

let home: string;
beforeEach(() => {
  home = realpathSync(mkdtempSync(join(tmpdir(), "sky-home-")));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const REFUSED = "what is not there, or elsewhere, is refused before anything is made";

test("included files, on this computer", async () => {
  const { code, points, report } = await runProgram("test/surface/programs/includes.ts", { env: { TEST_WORK: home } });
  expect(points, report).toEqual([
    "on this computer tasks run in the program's own folder, and nothing is copied",
    REFUSED,
  ]);
  expect(code, report).toBe(0);
});

test("included files, over SSH", async () => {
  await using sshd = await Sshd.start({ env: { HOME: home, XDG_CACHE_HOME: `${home}/.cache` } });
  const ssh = { hosts: [sshd.target], key: sshd.key, knownHosts: sshd.knownHosts };
  const work = realpathSync(mkdtempSync(join(tmpdir(), "sky-work-")));
  try {
    const env = { SSH: JSON.stringify(ssh), TEST_WORK: work };
    const { code, points, report } = await runProgram("test/surface/programs/includes.ts", { env });
    expect(points, report).toEqual([
      "tasks find included files in their working directory, and no others; each content crosses once",
      "the next pool sends what was changed",
      REFUSED,
    ]);
    expect(code, report).toBe(0);
  } finally {
    rmSync(work, { recursive: true });
  }
});
