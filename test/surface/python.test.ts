import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { PackageIndex } from "../support/package-index.ts";
import { runProgram } from "../support/program.ts";
import { Sshd } from "../support/sshd.ts";

// The first run fetches uv.
vi.setConfig({ testTimeout: 120_000 });

let dir: string;
let bin: string;
let indexes: readonly [PackageIndex, PackageIndex];

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "sky-python-"));
  bin = join(dir, "bin");
  mkdirSync(bin);
  // A machine with Python and without uv.
  const python = execFileSync("python3", ["-c", "import sys; print(sys.executable)"], { encoding: "utf8" }).trim();
  symlinkSync(python, join(bin, "python3"));
  for (const folder of [dirname(process.execPath), "/usr/bin", "/bin"])
    for (const name of existsSync(folder) ? readdirSync(folder) : [])
      if (!/^(?:uvx?|python.*)$/.test(name) && !existsSync(join(bin, name)))
        symlinkSync(join(folder, name), join(bin, name));
  indexes = [await PackageIndex.start(), await PackageIndex.start()];
  for (const [index, letter] of [
    [indexes[0], "A"],
    [indexes[1], "B"],
  ] as const) {
    const text = (name: string, version: string): string => `FROM = "${name}-${version}-${letter}"`;
    index.add("plain", letter === "A" ? "1.0" : "9.0", text("plain", letter === "A" ? "1.0" : "9.0"));
    index.add("scoped", letter === "B" ? "1.0" : "9.0", text("scoped", letter === "B" ? "1.0" : "9.0"));
    index.add("direct", "2.0", text("direct", "2.0"));
    for (const version of ["2.0", "3.0"]) index.add("both", version, text("both", version));
  }
});
afterAll(async () => {
  for (const index of indexes) await index[Symbol.asyncDispose]();
  rmSync(dir, { recursive: true, force: true });
});

const POINTS = [
  "where uv can't be had, that is said",
  "packages come from the index that was named for them, the others from the usual one",
  "uv is sent to a machine that has none, once",
  "a package that no index has fails with what was said",
];

async function run(env: Readonly<Record<string, string>>): Promise<void> {
  const given = { INDEX_A: indexes[0].url, INDEX_B: indexes[1].url, TEST_EMPTY: join(dir, "empty"), ...env };
  const options = { env: given, limitMs: 100_000 };
  const { code, points, report } = await runProgram("test/surface/programs/python.ts", options);
  expect(points, report).toEqual(POINTS);
  expect(code, report).toBe(0);
  expect(indexes[0].asked.has("scoped")).toBe(false);
  expect(indexes[1].asked.has("plain")).toBe(false);
}

test("Python packages, on this computer", async () => {
  const home = join(dir, "here");
  await run({ HOME: home, XDG_CACHE_HOME: join(home, ".cache"), PATH: bin });
});

test("Python packages, over SSH", async () => {
  const home = join(dir, "there");
  await using sshd = await Sshd.start({ env: { HOME: home, XDG_CACHE_HOME: join(home, ".cache"), PATH: bin } });
  await run({ SSH: JSON.stringify({ hosts: [sshd.target], key: sshd.key, knownHosts: sshd.knownHosts }) });
});
