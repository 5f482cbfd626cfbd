import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");
const program = join(root, "test/fixtures/torture/support/fuzz.ts");

// `npm run fuzz:capture -- --seconds 300` for more, `--seed N` for one again.
test.each([
  { which: "known", seed: 1000 },
  { which: "random", seed: Math.floor(Math.random() * 1e9) },
])("random scopes give on a node what they give here: a $which seed, $seed", { timeout: 60_000 }, async ({ seed }) => {
  const args = ["--import", "tsx", "--conditions=skyward:source", program, "--seconds", "6", "--seed", String(seed)];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root }).catch((error: unknown) => {
    throw new Error((error as { stdout: string }).stdout, { cause: error });
  });
  const { same, different } = JSON.parse(stdout.trim().split("\n").at(-1)!) as { same: number; different: number };
  expect(different).toBe(0);
  expect(same).toBeGreaterThan(10);
});
