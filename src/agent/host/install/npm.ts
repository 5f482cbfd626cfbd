import { spawn } from "node:child_process";
import { existsSync, realpathSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { Tail } from "../../tail.ts";

/** How npm ended: what it printed last, and its exit code; null when a signal ended it. */
export interface NpmEnd {
  readonly code: number | null;
  readonly lines: string;
}

/** A program to begin an npm command with. */
type Npm = readonly [string, ...string[]];

/** The npm that belongs to this Node, else the one of the machine. */
export function findNpm(): Npm | undefined {
  const folders = [dirname(process.execPath), ...(process.env["PATH"] ?? "").split(delimiter)];
  for (const folder of folders) {
    const path = join(folder, "npm");
    if (folder === "" || !existsSync(path)) continue;
    const real = realpathSync(path);
    // Run by our own Node, whatever the machine calls `node`: packages are made for that.
    return real.endsWith(".js") ? [process.execPath, real] : [real];
  }
  return undefined;
}

/** Runs npm in a folder. */
export function runNpm(
  [program, ...first]: Npm,
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>>,
): Promise<NpmEnd> {
  const tail = new Tail();
  const { NODE_OPTIONS: _, ...own } = process.env;
  const path = `${dirname(process.execPath)}${delimiter}${own["PATH"] ?? ""}`;
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
