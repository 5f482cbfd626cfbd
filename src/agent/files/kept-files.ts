import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { chmod, mkdir, open, readdir, rename, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { ownCache } from "../own-cache.ts";
import { pidLives } from "../pid-lives.ts";
import { hashOf } from "../../wire/files/transfer.ts";

/** What no pool has asked for this long is removed. */
const UNUSED_MS = 30 * 24 * 3600_000;

/** Contents of files that pools have brought to this machine, by their hash, for the pools to come. */
export class KeptFiles {
  readonly #folder = ownCache("files");

  path(sha256: string): string {
    if (!/^[0-9a-f]{64}$/.test(sha256)) throw new Error("a hash is 64 hex digits");
    return join(this.#folder, sha256);
  }

  /** Whether it is here whole and as it was; it stays for another while then. */
  async has(sha256: string, size: number): Promise<boolean> {
    const path = this.path(sha256);
    const found = await stat(path).catch(() => undefined);
    if (found?.size !== size || (await hashOf(path, size)) !== sha256) return false;
    const now = new Date();
    await utimes(path, now, now);
    return true;
  }

  /** How much of it has come in a copy that was cut, which this process goes on with; another process's own is its own. */
  async begun(sha256: string): Promise<number> {
    const part = this.#partOf(sha256);
    for (const name of await readdir(this.#folder).catch(() => [])) {
      const [hash, pid, end] = name.split(".");
      if (hash !== sha256 || end !== "part" || (Number(pid) !== process.pid && pidLives(Number(pid)))) continue;
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
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const part = this.#partOf(sha256);
    const hash = createHash("sha256");
    if (from > 0) for await (const chunk of createReadStream(part, { end: from - 1 })) hash.update(chunk as Buffer);
    const file = await open(part, from === 0 ? "w" : "r+", 0o600);
    try {
      let at = from;
      for await (const chunk of chunks) {
        hash.update(chunk);
        await file.write(chunk, 0, chunk.length, at);
        at += chunk.length;
      }
      await file.truncate(at);
    } finally {
      await file.close();
    }
    if (hash.digest("hex") !== sha256) {
      await rm(part, { force: true });
      throw new Error("a file changed while it was sent, or what had come of it was damaged");
    }
    await chmod(part, 0o400);
    await rename(part, this.path(sha256));
  }

  async clean(): Promise<void> {
    for (const name of await readdir(this.#folder).catch(() => [])) {
      const path = join(this.#folder, name);
      const found = await stat(path).catch(() => undefined);
      if (found !== undefined && Date.now() - found.mtimeMs > UNUSED_MS) await rm(path, { force: true });
    }
  }

  #partOf(sha256: string): string {
    return `${this.path(sha256)}.${process.pid}.part`;
  }
}
