import { spawn } from "node:child_process";
import { delimiter, dirname } from "node:path";
import { Tail } from "../../tail.ts";

/** How npm ended: what it printed last, and its exit code; null when a signal ended it. */
export interface NpmEnd {
  readonly code: number | null;
  readonly lines: string;
}

/** Runs npm in a folder. */
export function runNpm(
  npm: string,
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>>,
): Promise<NpmEnd> {
  const tail = new Tail();
  const { NODE_OPTIONS: _, ...own } = process.env;
  const path = `${dirname(process.execPath)}${delimiter}${own["PATH"] ?? ""}`;
  // By our own Node, whatever the machine calls `node`: packages are made for that.
  const [program, first] = npm.endsWith(".js") ? [process.execPath, [npm]] : [npm, []];
  const child = spawn(program, [...first, ...args], {
    cwd,
    env: { ...own, PATH: path, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => tail.push(chunk));
  return new Promise((resolve) => {
    child.once("error", (error) => resolve({ code: null, lines: error.message }));
    child.once("close", (code) => resolve({ code, lines: tail.toString().trim() }));
  });
}
