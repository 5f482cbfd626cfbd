import { LATER, type SlotShare } from "../share.ts";
import type { ClaimFile } from "./claim-file.ts";

interface Place {
  /** Number of its first item, counted over all that this process was given. */
  readonly base: number;
  count: number;
  next: number;
}

/** What a process knows of its chunks, and how it claims their items. */
export class SlotClaims implements SlotShare {
  readonly slots = 1;
  readonly allowed = 1;
  readonly #file: ClaimFile;
  readonly #now: () => number;
  readonly #places = new Map<number, Place>();
  #given = 0;
  #abandoned = 0;
  #word = -1;

  constructor(file: ClaimFile, now: () => number) {
    this.#file = file;
    this.#now = now;
  }

  arrived(word: number, count: number): void {
    this.#places.set(word, { base: this.#given, count, next: 0 });
    this.#given += count;
  }

  /** The host took back all items from this number on. */
  cutTo(limit: number): void {
    for (const place of this.#places.values()) place.count = Math.min(place.count, Math.max(0, limit - place.base));
    this.#given = limit;
  }

  claim(word: number): number {
    const place = this.#places.get(word);
    if (!place || place.next >= place.count) return -1;
    // The host is taking it back, or has just found that it came too late for that: it will say so.
    if (!this.#file.claim(place.base + place.next + 1, this.#now())) return LATER;
    return place.next++;
  }

  claimed(word: number): number {
    return this.#places.get(word)?.next ?? 0;
  }

  unclaimed(word: number): number {
    const place = this.#places.get(word);
    return place ? place.count - place.next : 0;
  }

  begin(_slot: number, word: number): void {
    this.#word = word;
  }

  end(): void {
    this.#word = -1;
  }

  tick(): void {
    // Claims are what the host counts.
  }

  abandon(change: 1 | -1): void {
    this.#abandoned += change;
    this.#file.abandoned = this.#abandoned;
  }

  wordOf(): number {
    return this.#word;
  }
}
