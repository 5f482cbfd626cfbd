import { spawn } from "node:child_process";
import { join } from "node:path";
import { findTree } from "../../src/agent/process-tree.ts";

const root = join(import.meta.dirname, "../..");

export interface ProgramOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** When it is killed with all that it started. @default 50_000 */
  readonly limitMs?: number;
}

export interface ProgramEnd {
  /** Null when it was killed. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** What stands behind `ok ` at the beginning of its lines on stdout. */
  readonly points: readonly string[];
  /** All that a reader of a failed test needs. */
  readonly report: string;
}

/** Runs one of our TypeScript programs as users run theirs: a process of its own, ESM, `skyward` by its name. */
export async function runProgram(
  file: string,
  { args = [], env = {}, limitMs = 50_000 }: ProgramOptions = {},
): Promise<ProgramEnd> {
  const child = spawn(process.execPath, ["--conditions=skyward:source", "--import", "tsx", join(root, file), ...args], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  let late = false;
  const limit = setTimeout(() => {
    late = true;
    killTree(child.pid!);
  }, limitMs);
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (...end) => resolve(end));
  });
  clearTimeout(limit);
  const points = stdout.split("\n").flatMap((line) => (line.startsWith("ok ") ? [line.slice(3)] : []));
  const how = late ? `killed after ${limitMs} ms` : signal ? `ended by ${signal}` : `exit code ${code}`;
  return { code, stdout, stderr, points, report: `${file}: ${how}\n--- stdout\n${stdout}--- stderr\n${stderr}` };
}

/** The program, its agents, and what their tasks have started. */
function killTree(pid: number): void {
  for (const one of findTree({ root: { pid, startTime: "" } })) {
    try {
      process.kill(one, "SIGKILL");
    } catch {
      // It has ended by itself.
    }
  }
}
