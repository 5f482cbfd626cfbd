import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type OpenEntry, openEntries } from "./entry.ts";

/** The machines that one controller asked for and that are not known to be gone. */
export interface ControllerEntries {
  readonly controller: string;
  readonly entries: readonly OpenEntry[];
}

/** Every controller's open entries. */
export async function readLedger(dir: string): Promise<readonly ControllerEntries[]> {
  const folder = join(dir, "ledger");
  const names = await readdir(folder).catch(() => [] as string[]);
  const files = names.filter((name) => name.endsWith(".jsonl")).sort();
  return Promise.all(
    files.map(async (name) => ({
      controller: name.slice(0, -".jsonl".length),
      // It may have gone meanwhile, with its last machine.
      entries: openEntries(await readFile(join(folder, name), "utf8").catch(() => "")),
    })),
  );
}
