import { lstat, readdir, rm } from "node:fs/promises";
import { join } from "node:path";

/** As many folders as entries are spread over: each has its share of the room. */
const SHARDS = 16;
const BLOCK_BYTES = 4096;
/** A file that is still being written is younger. */
const ABANDONED_MS = 60 * 60 * 1000;

interface Entry {
  readonly path: string;
  readonly bytes: number;
  readonly usedMs: number;
}

/** Keeps a cache's folders within their room: what was used least recently goes first. */
export class Trimmer {
  readonly #roomBytes: number;
  /** Bytes in each folder when it was last looked at, and what this process has added. */
  readonly #known = new Map<string, { bytes: number; added: number }>();

  constructor(maxBytes: number) {
    this.#roomBytes = maxBytes / SHARDS;
  }

  /** Takes note of a file that was put into a folder of the cache, and makes room if there is too much. */
  async added(shard: string, bytes: number): Promise<void> {
    const known = this.#known.get(shard);
    if (known !== undefined) {
      known.added += onDisk(bytes);
      // Other processes write too: a look now and then tells.
      if (known.bytes + known.added <= this.#roomBytes && known.added < this.#roomBytes / 8) return;
    }
    this.#known.set(shard, { bytes: await this.#trim(shard), added: 0 });
  }

  async #trim(shard: string): Promise<number> {
    const entries = await entriesOf(shard);
    let bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0);
    if (bytes <= this.#roomBytes) return bytes;
    entries.sort((a, b) => a.usedMs - b.usedMs);
    for (const entry of entries) {
      // Some more than must be, so that it is not done again at once.
      if (bytes <= this.#roomBytes * 0.8) break;
      await rm(entry.path, { force: true });
      bytes -= entry.bytes;
    }
    return bytes;
  }
}

async function entriesOf(shard: string): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (const name of await readdir(shard)) {
    const path = join(shard, name);
    const stats = await lstat(path).catch(() => undefined);
    if (stats === undefined) continue; // another process was faster
    if (name.startsWith(".") && Date.now() - stats.mtimeMs > ABANDONED_MS) await rm(path, { force: true });
    else entries.push({ path, bytes: onDisk(stats.size), usedMs: stats.mtimeMs });
  }
  return entries;
}

function onDisk(bytes: number): number {
  return Math.ceil(bytes / BLOCK_BYTES) * BLOCK_BYTES;
}
