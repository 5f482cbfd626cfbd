import type { HostShare, SlotShare } from "../share.ts";

/** Chunks that a thread may hold at a time. */
export const WORDS = 4096;
/** Numbers before the claim words. */
const HEAD = 3;

/**
 * What the host's main thread and one executor thread share, so that a chunk's tail can be taken back and a running
 * task be timed while the thread is blocked: `[progress, allowed slots, abandoned bodies, claim words, per slot: chunk + 1, item]`,
 * then per slot the start time in ms since the epoch.
 */
export class ThreadShare implements HostShare, SlotShare {
  readonly buffer: SharedArrayBuffer;
  readonly slots: number;
  readonly #ints: Int32Array;
  readonly #starts: Float64Array;

  constructor(slots: number, buffer?: SharedArrayBuffer) {
    const ints = HEAD + WORDS + 2 * slots;
    const startsAt = Math.ceil(ints / 2) * 8;
    this.slots = slots;
    this.buffer = buffer ?? new SharedArrayBuffer(startsAt + slots * 8);
    this.#ints = new Int32Array(this.buffer, 0, ints);
    this.#starts = new Float64Array(this.buffer, startsAt, slots);
  }

  get progress(): number {
    return Atomics.load(this.#ints, 0);
  }

  /** Items that the thread has begun or ended; a number that moves while the thread does. */
  tick(): void {
    this.#ints[0]!++;
  }

  get allowed(): number {
    return Atomics.load(this.#ints, 1);
  }

  set allowed(slots: number) {
    Atomics.store(this.#ints, 1, slots);
  }

  /** Bodies that were given up and still run. */
  get abandoned(): number {
    return Atomics.load(this.#ints, 2);
  }

  abandon(change: 1 | -1): void {
    Atomics.add(this.#ints, 2, change);
  }

  open(word: number, count: number): void {
    Atomics.store(this.#ints, HEAD + word, (count << 16) >>> 0);
  }

  arrived(): void {
    // The host has written it down.
  }

  /** Takes the next item of a chunk; -1 when none is left. */
  claim(word: number): number {
    const at = HEAD + word;
    for (;;) {
      const before = Atomics.load(this.#ints, at);
      const next = before & 0xffff;
      if (next >= before >>> 16) return -1;
      if (Atomics.compareExchange(this.#ints, at, before, before + 1) === before) return next;
    }
  }

  /** Items claimed so far. */
  claimed(word: number): number {
    return Atomics.load(this.#ints, HEAD + word) & 0xffff;
  }

  unclaimed(word: number): number {
    const value = Atomics.load(this.#ints, HEAD + word);
    return (value >>> 16) - (value & 0xffff);
  }

  /** Cuts up to `wanted` unclaimed items off the end; returns how many. */
  cut(word: number, wanted: number): number {
    const at = HEAD + word;
    for (;;) {
      const before = Atomics.load(this.#ints, at);
      const next = before & 0xffff;
      const end = before >>> 16;
      const taken = Math.min(wanted, end - next);
      if (taken <= 0) return 0;
      if (Atomics.compareExchange(this.#ints, at, before, ((end - taken) << 16) | next) === before) return taken;
    }
  }

  begin(slot: number, word: number, item: number, now: number): void {
    const at = HEAD + WORDS + 2 * slot;
    this.#starts[slot] = now;
    this.#ints[at + 1] = item;
    Atomics.store(this.#ints, at, word + 1);
  }

  end(slot: number): void {
    Atomics.store(this.#ints, HEAD + WORDS + 2 * slot, 0);
  }

  /** The chunk word that a slot works on, or -1. */
  wordOf(slot: number): number {
    return Atomics.load(this.#ints, HEAD + WORDS + 2 * slot) - 1;
  }

  /** Slots that run a task. */
  get busy(): number {
    let busy = 0;
    for (let slot = 0; slot < this.slots; slot++) if (this.wordOf(slot) >= 0) busy++;
    return busy;
  }

  itemOf(slot: number): number {
    return this.#ints[HEAD + WORDS + 2 * slot + 1]!;
  }

  startOf(slot: number): number {
    return this.#starts[slot]!;
  }
}
