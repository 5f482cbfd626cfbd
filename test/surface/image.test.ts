import { mkdtempSync, readFileSync, rmSync } from "node:fs";
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

const POINTS = [
  "variables, secrets and what the machine says reach the tasks",
  "each part is told, with what it printed",
  "the next pool on that machine skips what is done",
  "a secret is in no line, argument or file",
  "a step that fails says which, and how",
  "what can't be is refused before anything is made",
];

test("an image, on this computer", async () => {
  const env = { HOME: home, XDG_CACHE_HOME: `${home}/.cache`, TEST_HOME: home };
  const { code, points, report } = await runProgram("test/surface/programs/image.ts", { env });
  expect(points, report).toEqual(POINTS);
  expect(code, report).toBe(0);
  expect(readFileSync(join(home, ".sky-image-test"), "utf8")).toBe("made\n");
});

test("an image, over SSH", async () => {
  await using sshd = await Sshd.start({ env: { HOME: home, XDG_CACHE_HOME: `${home}/.cache` } });
  const env = {
    SSH: JSON.stringify({ hosts: [sshd.target], key: sshd.key, knownHosts: sshd.knownHosts }),
    TEST_HOME: home,
  };
  const { code, points, report } = await runProgram("test/surface/programs/image.ts", { env });
  expect(points, report).toEqual(POINTS);
  expect(code, report).toBe(0);
  expect(readFileSync(join(home, ".sky-image-test"), "utf8")).toBe("made\n");
});
