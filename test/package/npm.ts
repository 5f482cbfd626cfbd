import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
/** Outside the repository, so that a second run fetches nothing. */
const CACHE = join(homedir(), ".cache/skyward-test");
const KEPT = /^npm_config_(registry|cache|userconfig|proxy|https_proxy|cafile)$/i;

/** Runs npm in a folder as a user would: without what an npm around the tests has put into the environment. */
export async function npm(folder: string, ...words: string[]): Promise<string> {
  const { stdout } = await run("npm", [...words, "--prefer-offline", "--no-audit", "--no-fund"], {
    cwd: folder,
    env: cleanEnvironment(),
    maxBuffer: 1 << 24,
  });
  return stdout;
}

/** The environment without npm's, and without options for Node that belong to the test runner. */
export function cleanEnvironment(): NodeJS.ProcessEnv {
  const own = (name: string): boolean => name === "NODE_OPTIONS" || (/^npm_/i.test(name) && !KEPT.test(name));
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !own(name)));
}

/** The path of a Node of this major version: the running one, or one that npm fetches once. */
export async function nodeOfMajor(major: number): Promise<string> {
  if (process.version.startsWith(`v${major}.`)) return process.execPath;
  const folder = join(CACHE, `node-${major}`);
  const name = `node-${process.platform}-${process.arch}`;
  const binary = join(folder, "node_modules", name, "bin/node");
  if (!existsSync(binary)) {
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, "package.json"), '{ "private": true }\n');
    await npm(folder, "install", "--no-save", "--ignore-scripts", `${name}@${major}`);
  }
  return binary;
}
