import { chmodSync, constants, copyFileSync, mkdirSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { checkEntries, type Entry } from "../../wire/files/entries.ts";
import type { Coming, Lacking, SyncEntry } from "../../wire/files/sync.ts";
import { type Channel, makeLink, readMessage, write } from "../../wire/files/transfer.ts";
import type { KeptFiles } from "./kept-files.ts";

/** Makes a folder what the other side says, of files that are kept here and those that it sends. */
export async function syncFiles(channel: Channel, root: string, kept: KeptFiles): Promise<void> {
  const entries = checkEntries(await readMessage<readonly Entry[]>(channel)) as readonly SyncEntry[];
  const wanted = new Map<string, number>();
  for (const entry of entries) if (entry.type === "file") wanted.set(entry.sha256, entry.size);
  const lacking: (readonly [string, number])[] = [];
  for (const [sha256, size] of wanted)
    if (!(await kept.has(sha256, size))) lacking.push([sha256, await kept.begun(sha256)]);
  await write(channel.output, `${JSON.stringify(lacking satisfies Lacking)}\n`);
  for (;;) {
    const { sha256, from, end } = await readMessage<Coming>(channel);
    if (end === true) break;
    const size = wanted.get(sha256);
    if (size === undefined) throw new Error("a file that was not announced");
    await kept.add(sha256, from, channel.input.bytes(size - from));
  }
  const folders = new Set<string>();
  for (const entry of entries) await place(entry, `${root}/${entry.path}`, kept, folders);
  for (const entry of entries.toReversed()) if (entry.type === "folder") chmodSync(`${root}/${entry.path}`, entry.mode);
  await kept.clean();
  await write(channel.output, `{"ok":true}\n`);
}

/**
 * As a copy: what a task changes is not what the next pool gets. Synchronous, since this process does nothing else and
 * there may be many small files. @param folders that are there
 */
async function place(entry: SyncEntry, path: string, kept: KeptFiles, folders: Set<string>): Promise<void> {
  const folder = entry.type === "folder" ? path : dirname(path);
  if (!folders.has(folder)) mkdirSync(folder, { recursive: true });
  folders.add(folder);
  if (entry.type === "link") await makeLink(entry.target, path);
  if (entry.type !== "file") return;
  rmSync(path, { force: true });
  copyFileSync(kept.path(entry.sha256), path, constants.COPYFILE_FICLONE);
  chmodSync(path, entry.mode);
}
