import { constants } from "node:fs";
import { chmod, copyFile, mkdir, rm } from "node:fs/promises";
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
  for (const entry of entries) await place(entry, `${root}/${entry.path}`, kept);
  for (const entry of entries.toReversed())
    if (entry.type === "folder") await chmod(`${root}/${entry.path}`, entry.mode);
  await kept.clean();
  await write(channel.output, `{"ok":true}\n`);
}

/** As a copy: what a task changes is not what the next pool gets. */
async function place(entry: SyncEntry, path: string, kept: KeptFiles): Promise<void> {
  await mkdir(entry.type === "folder" ? path : dirname(path), { recursive: true });
  if (entry.type === "link") await makeLink(entry.target, path);
  if (entry.type !== "file") return;
  await rm(path, { force: true });
  await copyFile(kept.path(entry.sha256), path, constants.COPYFILE_FICLONE);
  await chmod(path, entry.mode);
}
