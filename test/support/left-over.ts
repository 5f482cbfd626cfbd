import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";

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

/** Everything in a directory but what tsx keeps there, and the folder in which pools leave their sockets while they run. */
export function leftFiles(dir: string): string[] {
  const names = readdirSync(dir).filter((name) => !/^(tsx-|node-compile-cache)/.test(name));
  return names
    .map((name) => join(dir, name))
    .flatMap((path) => (basename(path) === "skyward" ? below(path) : [path, ...below(path)]));
}

function below(path: string): string[] {
  try {
    return readdirSync(path, { recursive: true, encoding: "utf8" }).map((name) => join(path, name));
  } catch {
    // A file, or on its way out.
    return [];
  }
}
