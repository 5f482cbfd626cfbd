import { createHash } from "node:crypto";
import { once } from "node:events";
import { createReadStream, writeSync } from "node:fs";
import { access, chmod, constants, lstat, mkdir, open, readlink, rename, rm, stat, symlink } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Writable } from "node:stream";
import { ByteSource, type ReadNow } from "./byte-source.ts";
import { checkEntries, type Entry } from "./entries.ts";
import { Partials } from "./partial.ts";

/**
 * Files from one side to the other. The sender says what there is; the receiver says how much of each file it has, with
 * a hash; the sender says how many bytes come, then which files and from where on, each with its bytes behind it. A copy
 * that was cut goes on where it was: what has come of a file lies beside it until it is whole.
 */
export interface Channel {
  readonly input: ByteSource;
  readonly output: Writable;
  /** Nothing else goes on in this process, so it may stand still while a file is written. @default false */
  readonly blocking?: boolean;
}

export function channelOf(input: AsyncIterable<Buffer> | ReadNow, output: Writable): Channel {
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

const READ_BYTES = 256 * 1024;
const LAST_WORDS_MS = 1000;

/** The other side can't be written to any more. */
class EndedError extends Error {
  constructor() {
    super("the other side ended");
  }
}

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
  await write(channel.output, `${JSON.stringify({ of })}\n`);
  let bytes = 0;
  await answered(channel, async (send) => {
    for (const { index, from, size } of plan) {
      const header = `${JSON.stringify({ index, from })}\n`;
      await sendRange(pathOf(root, entries[index]!.path), [from, size], header, async (chunk) => {
        await send(chunk);
        if (typeof chunk === "string") return;
        bytes += chunk.length;
        onProgress?.(bytes, of);
      });
    }
    await send(`{"end":true}\n`);
  });
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
  const parts = new Partials();
  const made: Extract<Entry, { type: "folder" }>[] = [];
  for (const [index, entry] of entries.entries()) {
    const path = pathOf(root, entry.path);
    if (entry.type === "folder") {
      if (await makeFolder(path, entry.mode)) made.push(entry);
    } else if (entry.type === "link") await makeLink(entry.target, path);
    else {
      const found = await foundOf(path, entry.size, parts);
      if (found !== undefined) have.push([index, ...found]);
    }
  }
  await write(channel.output, `${JSON.stringify(have)}\n`);
  const { of } = await readMessage<{ readonly of: number }>(channel);
  let bytes = 0;
  const came = new Set<number>();
  for (;;) {
    const next = await readMessage<{ readonly index: number; readonly from: number; readonly end?: true }>(channel);
    if (next.end === true) break;
    const entry = entries[next.index];
    if (entry?.type !== "file") throw new Error("a file that was not announced");
    came.add(next.index);
    const path = pathOf(root, entry.path);
    await receiveFile(channel, parts.pathOf(path), entry, next.from, (count) => {
      bytes += count;
      onProgress?.(bytes, of);
    });
    await rename(parts.pathOf(path), path);
  }
  for (const [index] of have) if (!came.has(index)) await takeMode(pathOf(root, entries[index]!.path), entries[index]!);
  // Folders that may not be written to are made so behind what is in them; those that were there stay as they are.
  for (const entry of made.toReversed()) await chmod(pathOf(root, entry.path), entry.mode);
  await write(channel.output, `{"ok":true}\n`);
  const total = entries.reduce((sum, entry) => sum + (entry.type === "file" ? entry.size : 0), 0);
  return { files: came.size, bytes, skippedBytes: total - of };
}

async function receiveFile(
  channel: Channel,
  part: string,
  entry: Extract<Entry, { type: "file" }>,
  from: number,
  came: (count: number) => void,
): Promise<void> {
  const file = await open(part, from === 0 ? "w" : "r+", 0o600);
  try {
    let at = from;
    await channel.input.pour(entry.size - from, (chunk) => {
      const start = at;
      at += chunk.length;
      came(chunk.length);
      if (channel.blocking === true) return writeAll(file.fd, chunk, start);
      return file.write(chunk, 0, chunk.length, start).then(() => undefined);
    });
    await file.truncate(entry.size);
    await file.chmod(entry.mode);
  } catch (error) {
    // What can't become whole must not keep the disk full.
    if ((error as NodeJS.ErrnoException).code === "ENOSPC") await rm(part, { force: true });
    throw error;
  } finally {
    await file.close();
  }
}

/** @returns whether its mode is to be set in the end: as private from the beginning as it will be, but ours to write to */
async function makeFolder(path: string, mode: number): Promise<boolean> {
  if ((await mkdir(path, { recursive: true, mode: mode | 0o700 })) !== undefined) return true;
  const closed = access(path, constants.W_OK | constants.X_OK).then(
    () => false,
    () => true,
  );
  if (!(await closed)) return false;
  return chmod(path, mode | 0o700).then(
    () => true,
    () => false,
  );
}

/** A file whose content was there already. */
async function takeMode(path: string, entry: Entry): Promise<void> {
  if (entry.type === "file" && ((await stat(path)).mode & 0o777) !== entry.mode) await chmod(path, entry.mode);
}

function writeAll(fd: number, chunk: Buffer, at: number): void {
  for (let done = 0; done < chunk.length;) done += writeSync(fd, chunk, done, chunk.length - done, at + done);
}

/** What is here of a file: all of it under its name, or what a copy that was cut has left. */
async function foundOf(
  path: string,
  size: number,
  parts: Partials,
): Promise<[bytes: number, sha256: string] | undefined> {
  const whole = await stat(path).catch(() => undefined);
  if (whole?.isDirectory() === true) throw new Error(`${path} is a folder, and should become a file`);
  if (whole?.size === size) return [size, await hashOf(path, size)];
  const bytes = await parts.take(path, size);
  return bytes === 0 ? undefined : [bytes, await hashOf(parts.pathOf(path), bytes)];
}

export async function makeLink(target: string, path: string): Promise<void> {
  const there = await lstat(path).catch(() => undefined);
  if (there?.isSymbolicLink() === true && (await readlink(path)) === target) return;
  if (there?.isDirectory() === true) throw new Error(`${path} is a folder, and should become a link`);
  await rm(path, { force: true });
  await symlink(target, path);
}

function pathOf(root: string, path: string): string {
  return path === "" ? root : `${root}/${path}`;
}

/** SHA-256 of the first so many bytes of a file, in hex. */
export async function hashOf(path: string, bytes: number): Promise<string> {
  const hash = createHash("sha256");
  // A stream costs more than what is in a small file.
  if (bytes <= READ_BYTES) {
    const file = await open(path);
    try {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(bytes), 0, bytes, 0);
      hash.update(buffer.subarray(0, bytesRead));
    } finally {
      await file.close();
    }
  } else {
    for await (const chunk of createReadStream(path, { end: bytes - 1, highWaterMark: READ_BYTES }))
      hash.update(chunk as Buffer);
  }
  return hash.digest("hex");
}

/**
 * Sends a header and a file's bytes from one place to another. A file that can't be read is found before its header.
 * @throws Error also where there are fewer bytes by now
 */
export async function sendRange(
  path: string,
  [from, to]: readonly [number, number],
  header: string,
  send: (chunk: string | Buffer) => Promise<void>,
): Promise<void> {
  let left = to - from;
  if (left === 0) return send(header);
  const file = await open(path);
  try {
    await send(header);
    const chunks = file.createReadStream({ start: from, end: to - 1, highWaterMark: READ_BYTES, autoClose: false });
    for await (const chunk of chunks as AsyncIterable<Buffer>) {
      left -= chunk.length;
      await send(chunk);
    }
  } finally {
    await file.close();
  }
  if (left > 0) throw new Error(`${path} became shorter while it was sent`);
}

/**
 * Sends until the other side answers. Its answer is expected behind all that is sent; where it comes before, the other
 * side can't go on (its disk is full) and takes nothing more. @throws Error what it answers
 */
export async function answered(
  channel: Channel,
  sending: (send: (data: string | Buffer) => Promise<void>) => Promise<void>,
): Promise<void> {
  const stop = new AbortController();
  const answer = readMessage(channel);
  const sent = sending((data) => write(channel.output, data, stop.signal));
  sent.catch(() => undefined);
  try {
    await Promise.race([sent, answer]);
    await sent;
  } catch (error) {
    // Who ends because of an error has told it.
    if (error instanceof EndedError) await Promise.race([answer, delay(LAST_WORDS_MS, undefined, { ref: false })]);
    throw error;
  } finally {
    stop.abort();
    answer.catch(() => undefined);
  }
  await answer;
}

/** The other side's next line; its own failure is ours. */
export async function readMessage<T>(channel: Channel): Promise<T> {
  const message = JSON.parse(await channel.input.line()) as T & { readonly error?: string };
  if (typeof message.error === "string") throw new Error(message.error);
  return message;
}

/** Resolves when there is room for more. @throws Error where the other side has ended */
export async function write(output: Writable, data: string | Buffer, stop?: AbortSignal): Promise<void> {
  stop?.throwIfAborted();
  if (output.destroyed || output.writableEnded) throw new EndedError();
  if (output.write(data)) return;
  const settled = new AbortController();
  const signal = AbortSignal.any([settled.signal, stop].filter((one) => one !== undefined));
  try {
    await Promise.race([
      once(output, "drain", { signal }),
      once(output, "close", { signal }).then(() => Promise.reject(new EndedError())),
    ]);
  } finally {
    settled.abort();
  }
}
