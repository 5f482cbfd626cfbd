import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Processes that carry `mark` in their environment or command line, zombies and the caller excluded: "pid command". */
export function leftProcesses(mark: string, except: readonly number[] = []): string[] {
  return readdirSync("/proc").flatMap((name) => {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid || except.includes(pid)) return [];
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, "latin1");
      const environment = readFileSync(`/proc/${pid}/environ`, "latin1");
      if (!command.includes(mark) && !environment.includes(mark)) return [];
      const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
      const state = stat.slice(stat.lastIndexOf(")") + 2, stat.lastIndexOf(")") + 3);
      return state === "Z" || state === "X" ? [] : [`${pid} ${command.replaceAll("\0", " ").trim()}`];
    } catch {
      return [];
    }
  });
}

/** Everything below a directory but what tsx keeps there. */
export function leftFiles(dir: string): string[] {
  return readdirSync(dir, { recursive: true, encoding: "utf8" })
    .filter((path) => !/^(tsx-|node-compile-cache)/.test(path))
    .map((path) => join(dir, path));
}
