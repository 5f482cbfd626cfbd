import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";

/** A path in the repository's ignored `.cache` where a step leaves its report; nothing of an earlier run is there. */
export function freshFile(root: string, name: string): string {
  const folder = join(root, ".cache/gate");
  mkdirSync(folder, { recursive: true });
  rmSync(join(folder, name), { force: true });
  return join(folder, name);
}
