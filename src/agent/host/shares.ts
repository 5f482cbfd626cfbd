import { chmodSync, mkdirSync, rmSync } from "node:fs";
import { open, rm } from "node:fs/promises";
import { totalmem } from "node:os";
import { join } from "node:path";
import { blockHash, HASH_BLOCK_BYTES } from "../../wire/block-hash.ts";
import type { Incoming } from "../../wire/bulk-reader.ts";
import { totalBytes } from "../../wire/parts.ts";

/** Of the memory of the machine, or of its container. */
const MEMORY_SHARE = 0.25;

interface Share {
  readonly id: number;
  readonly sizes: readonly number[];
  readonly hashes: readonly Buffer[];
  readonly bytes: number;
  /** In memory that threads share; undefined while it lies on disk only. */
  parts: Uint8Array[] | undefined;
  onDisk: boolean;
  /** It is being written, or read. */
  moving: Promise<void> | undefined;
}

export interface SharesEvents {
  /** The controller has to send it again. */
  missing(id: number): void;
  log(line: string): void;
}

/**
 * The shared values of a node: one copy for all of its threads. Above the limit those that were used longest ago move to
 * the run directory; what comes back from there is hashed again, and sent anew when it is not what it was.
 */
export class Shares {
  readonly #dir: string;
  readonly #limit: number;
  readonly #events: SharesEvents;
  /** Those used last come last. */
  readonly #shares = new Map<number, Share>();
  readonly #waiting = new Map<number, (() => void)[]>();
  #held = 0;

  /** @param limit bytes in memory. @default a quarter of the machine's */
  constructor(dir: string, events: SharesEvents, limit = defaultLimit()) {
    this.#dir = join(dir, "values");
    this.#limit = limit;
    this.#events = events;
    // What an earlier host left is not trusted: the controller sends it anew.
    rmSync(this.#dir, { recursive: true, force: true });
    mkdirSync(this.#dir, { recursive: true, mode: 0o700 });
    chmodSync(this.#dir, 0o700);
  }

  has(id: number): boolean {
    return this.#shares.has(id);
  }

  put(id: number, { parts, hashes }: Incoming): void {
    this.drop(id);
    const bytes = totalBytes(parts);
    const sizes = parts.map((part) => part.byteLength);
    this.#shares.set(id, { id, sizes, hashes, bytes, parts, onDisk: false, moving: undefined });
    this.#held += bytes;
    for (const wake of this.#waiting.get(id) ?? []) wake();
    this.#waiting.delete(id);
    this.#evict(id);
  }

  drop(id: number): void {
    const share = this.#shares.get(id);
    if (!share) return;
    this.#shares.delete(id);
    if (share.parts) this.#held -= share.bytes;
    share.parts = undefined;
    if (share.onDisk || share.moving) void rm(this.#file(id), { force: true }).catch(() => undefined);
  }

  clear(): void {
    for (const id of [...this.#shares.keys()]) this.drop(id);
    this.#waiting.clear();
  }

  /** Runs `then` when the value is there; at once where it is. */
  when(id: number, then: () => void): void {
    if (this.#shares.has(id)) return then();
    const waiting = this.#waiting.get(id);
    if (waiting) waiting.push(then);
    else this.#waiting.set(id, [then]);
  }

  /** The parts of a value, in shared memory, from wherever they are. */
  async get(id: number): Promise<Uint8Array[]> {
    for (;;) {
      const share = this.#shares.get(id);
      if (!share) {
        const again = new Promise<void>((resolve) => this.when(id, resolve));
        this.#events.missing(id);
        await again;
        continue;
      }
      this.#shares.delete(id);
      this.#shares.set(id, share);
      if (share.parts) return share.parts;
      await (share.moving ??= this.#load(share).finally(() => (share.moving = undefined)));
    }
  }

  #evict(newest: number): void {
    if (this.#held <= this.#limit) return;
    let over = this.#held - this.#limit;
    for (const share of this.#shares.values()) {
      if (over <= 0) return;
      if (!share.parts || share.id === newest) continue;
      over -= share.bytes;
      if (share.moving) continue;
      if (share.onDisk) this.#unload(share);
      else share.moving = this.#spill(share).finally(() => (share.moving = undefined));
    }
  }

  #unload(share: Share): void {
    share.parts = undefined;
    this.#held -= share.bytes;
  }

  async #spill(share: Share): Promise<void> {
    const parts = share.parts!;
    try {
      const file = await open(this.#file(share.id), "w", 0o600);
      try {
        for (const part of parts) if (part.byteLength > 0) await file.writev([part]);
      } finally {
        await file.close();
      }
      if (this.#shares.get(share.id) !== share) return void (await rm(this.#file(share.id), { force: true }));
      share.onDisk = true;
      this.#unload(share);
    } catch (error) {
      // No room on disk either: the controller has it still.
      this.#events.log(`a shared value could not be written to disk: ${String(error)}`);
      if (this.#shares.get(share.id) === share) this.drop(share.id);
    }
  }

  async #load(share: Share): Promise<void> {
    const parts = share.sizes.map((size) => new Uint8Array(new SharedArrayBuffer(size)));
    try {
      const file = await open(this.#file(share.id), "r");
      try {
        let at = 0;
        for (const part of parts) {
          for (let done = 0; done < part.byteLength;) {
            const { bytesRead } = await file.read(part, done, part.byteLength - done, at);
            if (bytesRead === 0) throw new Error("it is shorter than it was");
            done += bytesRead;
            at += bytesRead;
          }
        }
      } finally {
        await file.close();
      }
      for (const [index, hash] of share.hashes.entries()) {
        const end = Math.min(share.bytes, (index + 1) * HASH_BLOCK_BYTES);
        if (!blockHash(parts, end).equals(hash)) throw new Error("its content has another hash");
      }
    } catch (error) {
      this.#events.log(`a shared value can't be read from disk, and is sent again: ${String(error)}`);
      if (this.#shares.get(share.id) === share) this.drop(share.id);
      return;
    }
    if (this.#shares.get(share.id) !== share) return;
    share.parts = parts;
    this.#held += share.bytes;
    this.#evict(share.id);
  }

  #file(id: number): string {
    return join(this.#dir, String(id));
  }
}

function defaultLimit(): number {
  const given = Number(process.env["SKYWARD_VALUES_MB"]);
  if (given > 0) return given * 1024 * 1024;
  const container = process.constrainedMemory?.() ?? 0;
  const total = totalmem();
  return MEMORY_SHARE * (container > 0 && container < total ? container : total);
}
