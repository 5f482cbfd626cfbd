import { createHash } from "node:crypto";
import { once } from "node:events";
import { createReadStream } from "node:fs";
import { chmod, mkdir, open, readFile, readlink, rename, rm, stat, symlink } from "node:fs/promises";
import { basename, dirname } from "node:path";
import type { Readable, Writable } from "node:stream";
import { ByteSource } from "./byte-source.ts";
import { checkEntries, type Entry } from "./entries.ts";

/**
 * Files from one side to the other. The sender says what there is; the receiver says how much of each file it has, with
 * a hash; the sender says which files come and from where on, each with its bytes behind it. A copy that was cut goes on
 * where it was: what has come of a file lies beside it until it is whole.
 */
export interface Channel {
  readonly input: ByteSource;
  readonly output: Writable;
}

export function channelOf(input: Readable, output: Writable): Channel {
  return { input: new ByteSource(input), output };
}

export interface Transferred {
  readonly files: number;
  /** That crossed. */
  readonly bytes: number;
  /** That the other side had already. */
  readonly skippedBytes: number;
}

/** How many bytes have crossed, of how many. */
export type OnProgress = (bytes: number, of: number) => void;

type Have = readonly [index: number, bytes: number, sha256: string];

const READ_BYTES = 1024 * 1024;

/** @param root where the entries lie here */
export async function sendFiles(
  channel: Channel,
  root: string,
  entries: readonly Entry[],
  onProgress?: OnProgress,
): Promise<Transferred> {
  await write(channel.output, `${JSON.stringify(entries)}\n`);
  const have = new Map((await readMessage<readonly Have[]>(channel)).map((one) => [one[0], one]));
  const plan: { index: number; from: number; size: number }[] = [];
  let skippedBytes = 0;
  for (const [index, entry] of entries.entries()) {
    if (entry.type !== "file") continue;
    const [, bytes = 0, sha256 = ""] = have.get(index) ?? [];
    const known = have.has(index) && bytes <= entry.size && (await hashOf(pathOf(root, entry.path), bytes)) === sha256;
    const from = known ? bytes : 0;
    skippedBytes += from;
    if (!known || bytes < entry.size) plan.push({ index, from, size: entry.size });
  }
  const of = plan.reduce((sum, { from, size }) => sum + size - from, 0);
  let bytes = 0;
  for (const { index, from, size } of plan) {
    await write(channel.output, `${JSON.stringify({ index, from })}\n`);
    let left = size - from;
    if (left > 0) {
      const file = createReadStream(pathOf(root, entries[index]!.path), {
        start: from,
        end: size - 1,
        highWaterMark: READ_BYTES,
      });
      for await (const chunk of file as AsyncIterable<Buffer>) {
        left -= chunk.length;
        bytes += chunk.length;
        await write(channel.output, chunk);
        onProgress?.(bytes, of);
      }
    }
    if (left > 0) throw new Error(`${entries[index]!.path} became shorter while it was sent`);
  }
  await write(channel.output, `{"end":true}\n`);
  await readMessage(channel);
  return { files: plan.length, bytes, skippedBytes };
}

/** @param rootOf where the entries are to lie here; folders on the way are made */
export async function receiveFiles(
  channel: Channel,
  rootOf: (entries: readonly Entry[]) => string,
  onProgress?: OnProgress,
): Promise<Transferred> {
  const entries = checkEntries(await readMessage(channel));
  const root = rootOf(entries);
  await mkdir(dirname(root), { recursive: true });
  const have: Have[] = [];
  for (const [index, entry] of entries.entries()) {
    const path = pathOf(root, entry.path);
    if (entry.type === "folder") await mkdir(path, { recursive: true });
    else if (entry.type === "link") await makeLink(entry.target, path);
    else {
      const found = await foundOf(path, entry.size);
      if (found !== undefined) have.push([index, ...found]);
    }
  }
  await write(channel.output, `${JSON.stringify(have)}\n`);
  let bytes = 0;
  let files = 0;
  const of = entries.reduce((sum, entry) => sum + (entry.type === "file" ? entry.size : 0), 0);
  for (;;) {
    const next = await readMessage<{ readonly index: number; readonly from: number; readonly end?: true }>(channel);
    if (next.end === true) break;
    const entry = entries[next.index];
    if (entry?.type !== "file") throw new Error("a file that was not announced");
    files++;
    await receiveFile(channel, pathOf(root, entry.path), entry, next.from, (count) => {
      bytes += count;
      onProgress?.(bytes, of);
    });
  }
  // Folders that may not be written to are made so behind what is in them.
  for (const entry of entries.toReversed())
    if (entry.type === "folder") await chmod(pathOf(root, entry.path), entry.mode);
  await write(channel.output, `{"ok":true}\n`);
  return { files, bytes, skippedBytes: 0 };
}

async function receiveFile(
  channel: Channel,
  path: string,
  entry: Extract<Entry, { type: "file" }>,
  from: number,
  came: (count: number) => void,
): Promise<void> {
  const part = partOf(path);
  const file = await open(part, from === 0 ? "w" : "r+", 0o600);
  try {
    let at = from;
    for await (const chunk of channel.input.bytes(entry.size - from)) {
      await file.write(chunk, 0, chunk.length, at);
      at += chunk.length;
      came(chunk.length);
    }
    await file.truncate(entry.size);
    await file.chmod(entry.mode);
  } finally {
    await file.close();
  }
  await rename(part, path);
}

/** What is here of a file: all of it under its name, or what a copy that was cut has left. */
async function foundOf(path: string, size: number): Promise<[bytes: number, sha256: string] | undefined> {
  const whole = await stat(path).catch(() => undefined);
  if (whole?.isDirectory() === true) throw new Error(`${path} is a folder, and should become a file`);
  if (whole?.size === size) return [size, await hashOf(path, size)];
  const part = await stat(partOf(path)).catch(() => undefined);
  if (part === undefined || part.size === 0 || part.size > size) return undefined;
  return [part.size, await hashOf(partOf(path), part.size)];
}

export async function makeLink(target: string, path: string): Promise<void> {
  if ((await readlink(path).catch(() => undefined)) === target) return;
  await rm(path, { force: true });
  await symlink(target, path);
}

const partOf = (path: string): string => `${dirname(path)}/.${basename(path)}.sky-part`;

function pathOf(root: string, path: string): string {
  return path === "" ? root : `${root}/${path}`;
}

/** SHA-256 of the first so many bytes of a file, in hex. */
export async function hashOf(path: string, bytes: number): Promise<string> {
  const hash = createHash("sha256");
  // A stream costs more than what is in a small file.
  if (bytes <= READ_BYTES) hash.update((await readFile(path)).subarray(0, bytes));
  else {
    for await (const chunk of createReadStream(path, { end: bytes - 1, highWaterMark: READ_BYTES }))
      hash.update(chunk as Buffer);
  }
  return hash.digest("hex");
}

/** The other side's next line; its own failure is ours. */
export async function readMessage<T>(channel: Channel): Promise<T> {
  const message = JSON.parse(await channel.input.line()) as T & { readonly error?: string };
  if (typeof message.error === "string") throw new Error(message.error);
  return message;
}

/** Resolves when there is room for more. @throws Error where the other side has ended */
export async function write(output: Writable, data: string | Buffer): Promise<void> {
  if (output.destroyed || output.writableEnded) throw new Error("the other side ended");
  if (output.write(data)) return;
  const settled = new AbortController();
  const { signal } = settled;
  try {
    await Promise.race([
      once(output, "drain", { signal }),
      once(output, "close", { signal }).then(() => Promise.reject(new Error("the other side ended"))),
    ]);
  } finally {
    settled.abort();
  }
}
