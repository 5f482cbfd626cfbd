import { randomBytes } from "node:crypto";
import { closeSync, constants, fstatSync, mkdirSync, openSync, writeSync } from "node:fs";
import { mkdir, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { BLOCK_HEADER_BYTES, KEY_BYTES, type Kept, makeBlock } from "./block.ts";
import { type FilePlace, readBlocks, SeriesFile } from "./series-file.ts";

/** A writer begins another file when its own is this long, so that old results can go without the new ones. */
const FILE_MAX_BYTES = 64 * 1024 * 1024;
/** More files than these are made one: every run of a program adds one. */
const FILES_MAX = 16;
const MERGE_MAX_BYTES = 4 * 1024 * 1024;

interface Known extends FilePlace {
  readonly file: SeriesFile;
  readonly writtenMs: number;
}

/**
 * The results of one function with the values that it captures, by call: files that are only added to, each by one
 * process, in blocks that prove themselves. So many processes use a series at once, and one that is killed in the middle
 * of a write loses that write alone.
 */
export class Series {
  readonly #folder: string;
  readonly #ttlMs: number;
  readonly #known = new Map<string, Known>();
  readonly #files: SeriesFile[] = [];
  #own: SeriesFile | undefined;
  #ownBytes = 0;

  private constructor(folder: string, ttlMs: number) {
    this.#folder = folder;
    this.#ttlMs = ttlMs;
  }

  /** Reads what is there. `folder` lies in one that is ours alone. */
  static async open(folder: string, ttlMs: number): Promise<Series> {
    const series = new Series(folder, ttlMs);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const names = (await readdir(folder)).filter((name) => name.endsWith(".results")).sort();
    const small = new Map<SeriesFile, number>();
    for (const name of names) {
      const file = new SeriesFile(join(folder, name));
      const size = await series.#read(file).catch(() => undefined);
      if (size !== undefined && size <= MERGE_MAX_BYTES) small.set(file, size);
    }
    if (small.size > FILES_MAX) await series.#merge(small);
    return series;
  }

  get size(): number {
    return this.#known.size;
  }

  /** The result of a call; undefined where it is not known, too old, or gone. */
  get(key: string, now = Date.now()): Buffer | undefined {
    const known = this.#known.get(key);
    if (known === undefined) return undefined;
    if (now - known.writtenMs <= this.#ttlMs) {
      try {
        return known.file.read(known);
      } catch {
        // Somebody else made room.
      }
    }
    this.#known.delete(key);
    return undefined;
  }

  /** Keeps results; when this returns they outlive this process. @returns bytes written @throws what the disk throws */
  add(results: readonly Kept[]): number {
    const now = Date.now();
    const block = makeBlock(results, now);
    const file = this.#writable();
    const start = this.#ownBytes + BLOCK_HEADER_BYTES;
    try {
      for (let done = 0; done < block.length;) done += writeSync(file.fd!, block, done);
    } catch (error) {
      // It ends in half a block: nothing can follow it there.
      this.#own = undefined;
      throw error;
    }
    this.#ownBytes += block.length;
    const blockBytes = block.length - BLOCK_HEADER_BYTES;
    let at = start;
    for (const { key, bytes } of results) {
      at += KEY_BYTES + 4;
      this.#known.set(key, { key, at, length: bytes.length, block: start, blockBytes, file, writtenMs: now });
      at += bytes.length;
    }
    return block.length;
  }

  close(): void {
    for (const file of this.#files) if (file.fd !== undefined) closeSync(file.fd);
    this.#files.length = 0;
    this.#known.clear();
    this.#own = undefined;
  }

  async #read(file: SeriesFile): Promise<number> {
    const bytes = await readBlocks(file.path, (place, writtenMs) => {
      this.#known.set(place.key, { ...place, file, writtenMs });
    });
    this.#files.push(file);
    return bytes;
  }

  /** This process's own file; another one where it is full, or was taken away. */
  #writable(): SeriesFile {
    if (this.#own && this.#ownBytes < FILE_MAX_BYTES && fstatSync(this.#own.fd!).nlink > 0) return this.#own;
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const file = new SeriesFile(join(this.#folder, fileName()));
    const { O_RDWR, O_CREAT, O_EXCL, O_APPEND, O_NOFOLLOW } = constants;
    file.fd = openSync(file.path, O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_NOFOLLOW, 0o600);
    this.#files.push(file);
    this.#own = file;
    this.#ownBytes = 0;
    return file;
  }

  /** Many small files become one, beside its place first. A process that still writes to one of them begins another. */
  async #merge(files: ReadonlyMap<SeriesFile, number>): Promise<void> {
    const now = Date.now();
    // Results keep their age: those of one time stand in one block.
    const byTime = new Map<number, Kept[]>();
    for (const known of this.#known.values()) {
      if (!files.has(known.file) || now - known.writtenMs > this.#ttlMs) continue;
      const kept = { key: known.key, bytes: Uint8Array.from(known.file.read(known)) };
      const list = byTime.get(known.writtenMs);
      if (list) list.push(kept);
      else byTime.set(known.writtenMs, [kept]);
    }
    const path = join(this.#folder, fileName());
    const temporary = `${path}.new`;
    try {
      const blocks = [...byTime].map(([writtenMs, results]) => makeBlock(results, writtenMs));
      await writeFile(temporary, Buffer.concat(blocks), { mode: 0o600, flag: "wx" });
      await rename(temporary, path);
      // One that has grown meanwhile stays.
      for (const [file, bytes] of files)
        if ((await stat(file.path)).size === bytes) await rm(file.path, { force: true });
      await this.#read(new SeriesFile(path));
    } catch {
      await rm(temporary, { force: true }).catch(() => undefined);
    }
  }
}

function fileName(): string {
  return `${Date.now()}-${process.pid}-${randomBytes(4).toString("hex")}.results`;
}
