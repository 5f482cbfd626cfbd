import type { HostShare } from "../share.ts";
import type { ClaimFile } from "./claim-file.ts";

interface Place {
  readonly base: number;
  count: number;
}

/** What the host knows of the chunks of one process, and how it takes items back. */
export class HostClaims implements HostShare {
  readonly slots = 1;
  allowed = 1;
  readonly #file: ClaimFile;
  readonly #places = new Map<number, Place>();
  #given = 0;

  constructor(file: ClaimFile) {
    this.#file = file;
  }

  /** Items given and not taken back. */
  get given(): number {
    return this.#given;
  }

  get progress(): number {
    return this.#file.claimed.count;
  }

  get abandoned(): number {
    return this.#file.abandoned;
  }

  get busy(): number {
    return this.wordOf() < 0 ? 0 : 1;
  }

  get left(): number {
    return Math.max(0, this.#given - this.#file.claimed.count);
  }

  open(word: number, count: number): void {
    this.#places.set(word, { base: this.#given, count });
    this.#given += count;
    this.#file.limit = this.#given;
  }

  close(word: number): void {
    this.#places.delete(word);
  }

  claimed(word: number): number {
    const place = this.#places.get(word);
    return place ? Math.min(place.count, Math.max(0, this.#file.claimed.count - place.base)) : 0;
  }

  unclaimed(word: number): number {
    const place = this.#places.get(word);
    return place ? place.count - this.claimed(word) : 0;
  }

  /** Only of the last chunk that has items. The process must see the lower limit before it is given more. */
  cut(word: number, wanted: number): number {
    const place = this.#places.get(word);
    if (!place || place.base + place.count !== this.#given) return 0;
    const taken = Math.min(wanted, this.unclaimed(word));
    if (taken === 0) return 0;
    const before = this.#given;
    this.#file.limit = before - taken;
    // What was claimed meanwhile stays where it is.
    const limit = Math.min(before, Math.max(before - taken, this.#file.claimed.count));
    this.#file.limit = limit;
    this.#given = limit;
    place.count = limit - place.base;
    return before - limit;
  }

  wordOf(): number {
    return this.#running()?.[0] ?? -1;
  }

  itemOf(): number {
    const running = this.#running();
    return running ? this.#file.claimed.count - 1 - running[1].base : 0;
  }

  startOf(): number {
    return this.#file.claimed.startedAt;
  }

  /** The chunk of the newest claim. */
  #running(): [number, Place] | undefined {
    const newest = this.#file.claimed.count - 1;
    for (const entry of this.#places) {
      const [, { base, count }] = entry;
      if (newest >= base && newest < base + count) return entry;
    }
    return undefined;
  }
}
