import { execFile } from "node:child_process";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const root = join(import.meta.dirname, "../..");
let built: Promise<void> | undefined;

/**
 * Builds dist/agent.js once per run: tests run the sources, but a node always runs the bundled agent. Where that fails,
 * tests that start an agent find none and fail, and all others run.
 */
export default function buildAgent(): Promise<void> {
  return (built ??= build());
}

async function build(): Promise<void> {
  try {
    await promisify(execFile)(process.execPath, [join(root, "scripts/build-agent.mjs")], { cwd: root });
  } catch (error) {
    await rm(join(root, "dist/agent.js"), { force: true });
    const output = (error as { stderr?: string }).stderr ?? String(error);
    console.error(`dist/agent.js could not be built:\n${output.split("\n").slice(0, 8).join("\n")}`);
  }
}
