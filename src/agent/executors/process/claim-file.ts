import { readSync, writeSync } from "node:fs";

/**
 * What the host and one process share in place of memory: a file without a name, which both hold open. The kernel orders
 * their reads and writes, so that each can be asked while the other is blocked.
 *
 * The items given to a process are counted from 0, in the order of their chunks. The process writes how many it has
 * claimed and then reads the limit: an item at or above it is not its own. The host writes a lower limit and then reads
 * what is claimed: whatever is below both was claimed before, and the rest can be given to somebody else.
 */
export const CLAIM_BYTES = 32;

/** Claimed items f64, start of the newest f64 (ms since the epoch), bodies that were given up and still run f64. */
const CLAIMED_AT = 0;
const ABANDONED_AT = 16;
/** Items that may be claimed, f64; the host's. */
const LIMIT_AT = 24;

export class ClaimFile {
  readonly #fd: number;
  readonly #pair = new Float64Array(2);
  readonly #one = new Float64Array(1);
  readonly #pairBytes = new Uint8Array(this.#pair.buffer);
  readonly #oneBytes = new Uint8Array(this.#one.buffer);

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** Claimed so far, and when the newest began. */
  get claimed(): { readonly count: number; readonly startedAt: number } {
    readSync(this.#fd, this.#pairBytes, 0, 16, CLAIMED_AT);
    return { count: this.#pair[0]!, startedAt: this.#pair[1]! };
  }

  /** Writes a claim down. @returns whether the item is below the limit */
  claim(count: number, startedAt: number): boolean {
    this.#pair[0] = count;
    this.#pair[1] = startedAt;
    writeSync(this.#fd, this.#pairBytes, 0, 16, CLAIMED_AT);
    return count <= this.limit;
  }

  get limit(): number {
    return this.#read(LIMIT_AT);
  }

  set limit(items: number) {
    this.#write(LIMIT_AT, items);
  }

  get abandoned(): number {
    return this.#read(ABANDONED_AT);
  }

  set abandoned(bodies: number) {
    this.#write(ABANDONED_AT, bodies);
  }

  #read(at: number): number {
    readSync(this.#fd, this.#oneBytes, 0, 8, at);
    return this.#one[0]!;
  }

  #write(at: number, value: number): void {
    this.#one[0] = value;
    writeSync(this.#fd, this.#oneBytes, 0, 8, at);
  }
}
