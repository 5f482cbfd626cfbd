import { existsSync, realpathSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";

/** The program of npm: the one beside this Node, else the first in PATH. */
export function findNpm(): string | undefined {
  for (const folder of [dirname(process.execPath), ...(process.env["PATH"] ?? "").split(delimiter)]) {
    const path = join(folder, "npm");
    if (folder !== "" && existsSync(path)) return realpathSync(path);
  }
  return undefined;
}
