import { readFile } from "node:fs/promises";
import type { Entry } from "./entries.ts";
import { answered, type Channel, hashOf, readMessage, sendRange, write } from "./transfer.ts";

/** A thing of a folder that is kept the same elsewhere; a file is known by its content. */
export type SyncEntry = Exclude<Entry, { type: "file" }> | (Extract<Entry, { type: "file" }> & SyncedFile);

interface SyncedFile {
  readonly sha256: string;
}

/** What the other side has not got, and how much of it came in an earlier try. */
export type Lacking = readonly (readonly [sha256: string, bytes: number])[];

/** The next file: its content, beginning with a byte. */
export interface Coming {
  readonly sha256: string;
  readonly from: number;
  readonly end?: true;
}

/** A file of this size is read whole. */
const SMALL_BYTES = 64 * 1024;
const HASHED_AT_ONCE = 8;

/**
 * Brings files to a machine that keeps what it has got by content: only what it lacks crosses.
 * @param root where the entries lie here
 * @returns how many bytes crossed
 */
export async function sendSync(channel: Channel, root: string, entries: readonly SyncEntry[]): Promise<number> {
  await write(channel.output, `${JSON.stringify(entries)}\n`);
  const files = new Map(entries.flatMap((entry) => (entry.type === "file" ? [[entry.sha256, entry] as const] : [])));
  let bytes = 0;
  const lacking = await readMessage<Lacking>(channel);
  await answered(channel, async (send) => {
    for (const [sha256, had] of lacking) {
      const { path, size } = files.get(sha256)!;
      const from = had <= size ? had : 0;
      const header = `${JSON.stringify({ sha256, from } satisfies Coming)}\n`;
      if (size <= SMALL_BYTES) {
        const content = (await readFile(`${root}/${path}`)).subarray(from, size);
        if (content.length < size - from) throw new Error(`${path} became shorter while it was sent`);
        await send(Buffer.concat([Buffer.from(header), content]));
        bytes += content.length;
        continue;
      }
      await sendRange(`${root}/${path}`, [from, size], header, async (chunk) => {
        await send(chunk);
        if (typeof chunk !== "string") bytes += chunk.length;
      });
    }
    await send(`{"end":true}\n`);
  });
  return bytes;
}

/** The entries with the hashes of their files. @param root where they lie */
export async function hashed(root: string, entries: readonly Entry[]): Promise<readonly SyncEntry[]> {
  const made = Array<SyncEntry>(entries.length);
  const rest = entries.entries();
  const next = async (): Promise<void> => {
    for (const [index, entry] of rest)
      made[index] =
        entry.type === "file" ? { ...entry, sha256: await hashOf(`${root}/${entry.path}`, entry.size) } : entry;
  };
  await Promise.all(Array.from({ length: HASHED_AT_ONCE }, next));
  return made;
}
