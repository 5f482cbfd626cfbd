import { createHash, randomBytes } from "node:crypto";
import { closeSync, constants, fstatSync, futimesSync, openSync, readSync, type Stats } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Trimmer } from "./trimmer.ts";

const HASH_BYTES = 32;
/** A use is noted when the last note is older: each note is a write. */
const NOTED_MS = 60 * 60 * 1000;
const DELAY_MS = 100;

interface Waiting {
  readonly key: string;
  readonly make: () => Uint8Array | undefined;
}

/**
 * Contents by key in a folder that many processes use at once. An entry is written beside its place and renamed, and
 * begins with the hash of its key and content: what is cut off, damaged or somebody else's is as good as not there. Nothing
 * here throws: a folder that can't be read or written costs only time.
 */
export class DiskCache {
  readonly #folder: string;
  readonly #trimmer: Trimmer;
  #queue: Waiting[] = [];
  #writing: Promise<void> | undefined;
  #writable = true;

  /** `folder` has to be ours alone. */
  constructor(folder: string, maxBytes: number) {
    this.#folder = folder;
    this.#trimmer = new Trimmer(maxBytes);
  }

  /** The content under a key of hex digits. */
  get(key: string): Buffer | undefined {
    let fd: number | undefined;
    try {
      fd = openSync(join(this.#shard(key), key), constants.O_RDONLY | constants.O_NOFOLLOW);
      const stats = fstatSync(fd);
      if (!stats.isFile() || !isOurs(stats) || stats.size < HASH_BYTES) return undefined;
      const bytes = Buffer.allocUnsafe(stats.size);
      if (readSync(fd, bytes) !== bytes.length) return undefined;
      const content = bytes.subarray(HASH_BYTES);
      if (!sealOf(key, content).equals(bytes.subarray(0, HASH_BYTES))) return undefined;
      note(fd, stats);
      return content;
    } catch {
      return undefined;
    } finally {
      if (fd !== undefined) closeSync(fd);
    }
  }

  /** Keeps a content, soon; it is made when it is written, and may turn out not to be worth it. */
  put(key: string, make: () => Uint8Array | undefined): void {
    if (!this.#writable) return;
    this.#queue.push({ key, make });
    this.#writing ??= this.#write();
  }

  /** When all that was put is written. */
  async settled(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
  }

  async #write(): Promise<void> {
    // What waits for the work that makes entries comes first.
    await new Promise((resolve) => setTimeout(resolve, DELAY_MS));
    try {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) await this.#writeOne(next);
    } catch {
      this.#writable = false; // read-only, full, or not ours any more
      this.#queue = [];
    }
    this.#writing = undefined;
  }

  async #writeOne({ key, make }: Waiting): Promise<void> {
    const content = make();
    if (content === undefined) return;
    const shard = this.#shard(key);
    const temporary = join(shard, `.${process.pid}-${randomBytes(6).toString("hex")}`);
    await mkdir(shard, { recursive: true, mode: 0o700 });
    try {
      await writeFile(temporary, Buffer.concat([sealOf(key, content), content]), { mode: 0o600, flag: "wx" });
      await rename(temporary, join(shard, key));
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => undefined);
      throw error;
    }
    await this.#trimmer.added(shard, content.byteLength);
  }

  #shard(key: string): string {
    return join(this.#folder, key.slice(0, 1));
  }
}

function sealOf(key: string, content: Uint8Array): Buffer {
  return createHash("sha256").update(key).update(content).digest();
}

/** Whether nobody else can have written it. */
export function isOurs({ uid, mode }: Stats): boolean {
  return uid === process.getuid?.() && (mode & 0o022) === 0;
}

function note(fd: number, { mtimeMs }: Stats): void {
  const now = Date.now();
  if (now - mtimeMs < NOTED_MS) return;
  try {
    futimesSync(fd, now / 1000, now / 1000);
  } catch {
    // It only looks older than it is.
  }
}
