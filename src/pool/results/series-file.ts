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

/** Goes through a file block by block, up to what is cut off or damaged. @returns how many bytes were whole */
export async function readBlocks(
  path: string,
  each: (place: FilePlace, writtenMs: number) => void,
): Promise<{ bytes: number; whole: number }> {
  const file = await open(path, READ_FLAGS);
  try {
    const stats = await file.stat();
    if (!stats.isFile() || !isOurs(stats)) return { bytes: stats.size, whole: 0 };
    const head = Buffer.allocUnsafe(BLOCK_HEADER_BYTES);
    let at = 0;
    while (at + BLOCK_HEADER_BYTES <= stats.size) {
      await file.read(head, 0, BLOCK_HEADER_BYTES, at);
      const header = readHeader(head);
      const start = at + BLOCK_HEADER_BYTES;
      if (header === undefined || start + header.bodyBytes > stats.size) break;
      const body = Buffer.allocUnsafe(header.bodyBytes);
      await file.read(body, 0, body.length, start);
      const places = readBody(header, body);
      if (places === undefined) break;
      const block = { block: start, blockBytes: body.length };
      for (const place of places) each({ ...place, at: start + place.at, ...block }, header.writtenMs);
      at = start + body.length;
    }
    return { bytes: stats.size, whole: at };
  } finally {
    await file.close();
  }
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
