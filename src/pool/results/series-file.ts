import { constants, fstatSync, futimesSync, openSync, readSync } from "node:fs";
import { open } from "node:fs/promises";
import { isOurs } from "../../function/cache/disk-cache.ts";
import { BLOCK_HEADER_BYTES, type Place, readBody, readHeader } from "./block.ts";

const READ_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW;

/** One result in a file. */
export interface FilePlace extends Place {
  /** The block that it lies in. */
  readonly block: number;
  readonly blockBytes: number;
}

/** Goes through a file block by block, up to what is cut off or damaged. @returns how many bytes it has */
export async function readBlocks(path: string, each: (place: FilePlace, writtenMs: number) => void): Promise<number> {
  const file = await open(path, READ_FLAGS);
  let all: Buffer;
  try {
    const stats = await file.stat();
    if (!stats.isFile() || !isOurs(stats)) return stats.size;
    // As a whole: it may be ten thousand blocks of one result each.
    all = await file.readFile();
  } finally {
    await file.close();
  }
  for (let at = 0; ;) {
    const header = readHeader(all.subarray(at, at + BLOCK_HEADER_BYTES));
    const start = at + BLOCK_HEADER_BYTES;
    if (header === undefined || start + header.bodyBytes > all.length) break;
    const body = all.subarray(start, start + header.bodyBytes);
    const places = readBody(header, body);
    if (places === undefined) break;
    for (const place of places)
      each({ ...place, at: start + place.at, block: start, blockBytes: body.length }, header.writtenMs);
    at = start + body.length;
  }
  return all.length;
}

/** A file for reading results whose places are known. */
export class SeriesFile {
  readonly path: string;
  fd: number | undefined;
  /** A block that was read as a whole, since its results are wanted one after the other. */
  #block: { readonly at: number; readonly bytes: Buffer } | undefined;

  constructor(path: string) {
    this.path = path;
  }

  /** @throws where the file is gone */
  read({ at, length, block, blockBytes }: FilePlace): Buffer {
    if (this.fd === undefined) {
      this.fd = openSync(this.path, READ_FLAGS);
      noteUse(this.fd);
    }
    if (blockBytes > BLOCK_MAX_BYTES) return readAll(this.fd, at, length);
    if (this.#block?.at !== block) this.#block = { at: block, bytes: readAll(this.fd, block, blockBytes) };
    return this.#block.bytes.subarray(at - block, at - block + length);
  }
}

const BLOCK_MAX_BYTES = 1024 * 1024;

function readAll(fd: number, at: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  let read = 0;
  while (read < length) {
    const more = readSync(fd, bytes, read, length - read, at + read);
    if (more === 0) throw new Error("the file is shorter than it was");
    read += more;
  }
  return bytes;
}

/** What was used last is dropped last. */
function noteUse(fd: number): void {
  try {
    const now = Date.now() / 1000;
    if (fstatSync(fd).mtimeMs < Date.now() - 60_000) futimesSync(fd, now, now);
  } catch {
    // It only looks older than it is.
  }
}
