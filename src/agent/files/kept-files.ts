import { createHash } from "node:crypto";
import {
  closeSync,
  createReadStream,
  fchmodSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  utimesSync,
  writeSync,
} from "node:fs";
import { readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { ownCache } from "../own-cache.ts";
import { pidLives } from "../pid-lives.ts";
import { hashOf } from "../../wire/files/transfer.ts";

/** What no pool has asked for this long is removed. */
const UNUSED_MS = 30 * 24 * 3600_000;

/** A file of this size is read whole. */
const SMALL_BYTES = 1024 * 1024;

/**
 * Contents of files that pools have brought to this machine, by their hash, for the pools to come. Its process does
 * nothing else, and there may be many small ones: so much of it is synchronous.
 */
export class KeptFiles {
  readonly #folder = ownCache("files");
  /** What copies that were cut have left, as it was found. */
  #parts: Promise<ReadonlyMap<string, readonly string[]>> | undefined;

  path(sha256: string): string {
    if (!/^[0-9a-f]{64}$/.test(sha256)) throw new Error("a hash is 64 hex digits");
    return join(this.#folder, sha256);
  }

  /** Whether it is here whole and as it was; it stays for another while then. */
  async has(sha256: string, size: number): Promise<boolean> {
    const path = this.path(sha256);
    const found = statSync(path, { throwIfNoEntry: false });
    if (found?.size !== size) return false;
    const hash =
      size > SMALL_BYTES ? await hashOf(path, size) : createHash("sha256").update(readFileSync(path)).digest("hex");
    if (hash !== sha256) return false;
    const now = new Date();
    utimesSync(path, now, now);
    return true;
  }

  /** How much of it has come in a copy that was cut, which this process goes on with; another process's own is its own. */
  async begun(sha256: string): Promise<number> {
    const part = this.#partOf(sha256);
    this.#parts ??= this.#findParts();
    for (const name of (await this.#parts).get(sha256) ?? []) {
      const pid = Number(name.split(".")[1]);
      if (pid !== process.pid && pidLives(pid)) continue;
      const taken = await rename(join(this.#folder, name), part).then(
        () => true,
        () => false,
      );
      if (taken) return (await stat(part)).size;
    }
    return 0;
  }

  /** Keeps what comes from byte `from` on. @throws Error where the whole has another hash */
  async add(sha256: string, from: number, chunks: AsyncIterable<Buffer>): Promise<void> {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const part = this.#partOf(sha256);
    const hash = createHash("sha256");
    if (from > 0) for await (const chunk of createReadStream(part, { end: from - 1 })) hash.update(chunk as Buffer);
    const file = openSync(part, from === 0 ? "w" : "r+", 0o600);
    try {
      let at = from;
      for await (const chunk of chunks) {
        hash.update(chunk);
        for (let done = 0; done < chunk.length;) done += writeSync(file, chunk, done, chunk.length - done, at + done);
        at += chunk.length;
      }
      ftruncateSync(file, at);
      fchmodSync(file, 0o400);
    } finally {
      closeSync(file);
    }
    if (hash.digest("hex") !== sha256) {
      await rm(part, { force: true });
      throw new Error("a file changed while it was sent, or what had come of it was damaged");
    }
    renameSync(part, this.path(sha256));
  }

  async clean(): Promise<void> {
    for (const name of await readdir(this.#folder).catch(() => [])) {
      const path = join(this.#folder, name);
      const found = await stat(path).catch(() => undefined);
      if (found !== undefined && Date.now() - found.mtimeMs > UNUSED_MS) await rm(path, { force: true });
    }
  }

  async #findParts(): Promise<ReadonlyMap<string, readonly string[]>> {
    const parts = new Map<string, string[]>();
    for (const name of await readdir(this.#folder).catch(() => [])) {
      const [hash = "", , end] = name.split(".");
      if (end === "part") parts.set(hash, [...(parts.get(hash) ?? []), name]);
    }
    return parts;
  }

  #partOf(sha256: string): string {
    return `${this.path(sha256)}.${process.pid}.part`;
  }
}
