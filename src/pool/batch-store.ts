import { type Segment, type SegmentSink, State } from "./dispatch/segment.ts";

export class Failure {
  readonly error: unknown;
  constructor(error: unknown) {
    this.error = error;
  }
}

/** What became of a batch's tasks so far, by position, and who waits for more of it. */
export class BatchStore implements SegmentSink {
  readonly parts: { readonly segment: Segment; readonly base: number }[] = [];
  #results: unknown[] = [];
  /** 1 for each position whose result is there. */
  #there = new Uint8Array(0);
  #size = 0;
  /** Positions in the order of arrival; kept from when somebody wants them. */
  #arrivals: number[] | undefined;
  /** How many tasks there are, once that is known. */
  total: number | undefined;
  /** Those that have a result: a stream is there when it has begun. */
  ended = 0;
  /** Streams that have begun and not ended. */
  streaming = 0;
  failures = 0;
  /** The first one in time. */
  failure: Failure | undefined;
  /** Pulling the items failed: nothing comes after those that are there. */
  broken: Failure | undefined;
  /** Positions that the furthest iterator has passed; -1 while nobody iterates. */
  consumed = -1;
  onEnded: (() => void) | undefined;
  onConsumed: (() => void) | undefined;
  readonly #bases = new Map<Segment, number>();
  #wakes: (() => void)[] = [];

  get size(): number {
    return this.#size;
  }

  get complete(): boolean {
    return this.total === this.ended;
  }

  add(segment: Segment, count: number): void {
    const base = this.#size;
    this.parts.push({ segment, base });
    this.#bases.set(segment, base);
    this.#size += count;
    if (base === 0) {
      this.#results = Array.from<unknown>({ length: 0 });
      this.#results.length = count;
    }
    if (this.#size <= this.#there.length) return;
    const there = new Uint8Array(base === 0 ? count : Math.max(this.#size, 2 * this.#there.length));
    there.set(this.#there);
    this.#there = there;
  }

  /** The number of tasks is final. */
  close(broken?: unknown): void {
    if (broken !== undefined) {
      this.broken = new Failure(broken);
      this.failure ??= this.broken;
    }
    if (this.total !== undefined) return;
    this.total = this.#size;
    this.wake();
    this.onEnded?.();
  }

  began(segment: Segment, index: number, stream: unknown): void {
    this.streaming++;
    this.#put(this.#bases.get(segment)! + index, stream);
  }

  settled(segment: Segment, index: number, state: number, value: unknown): void {
    const at = this.#bases.get(segment)! + index;
    if (this.#there[at] === 1) {
      this.streaming--;
      this.onEnded?.();
      return;
    }
    if (state === State.DONE) return this.#put(at, value);
    const failure = new Failure(value);
    this.failure ??= failure;
    this.failures++;
    this.#put(at, failure);
  }

  #put(at: number, result: unknown): void {
    this.#results[at] = result;
    this.#there[at] = 1;
    this.ended++;
    this.#arrivals?.push(at);
    if (this.#wakes.length > 0) this.wake();
    this.onEnded?.();
  }

  has(position: number): boolean {
    return this.#there[position] === 1;
  }

  at(position: number): unknown {
    return this.#results[position];
  }

  /** All results; only once complete. */
  all(): unknown[] {
    return this.#results;
  }

  /** Positions as they come; asking for them makes them be kept. */
  arrivals(): readonly number[] {
    if (!this.#arrivals) {
      this.#arrivals = [];
      for (let i = 0; i < this.#size; i++) if (this.#there[i] === 1) this.#arrivals.push(i);
    }
    return this.#arrivals;
  }

  task(position: number): { segment: Segment; index: number } {
    const part = this.parts.findLast((one) => one.base <= position)!;
    return { segment: part.segment, index: position - part.base };
  }

  /** Resolves at the next change. */
  change(): Promise<void> {
    return new Promise((resolve) => this.#wakes.push(resolve));
  }

  wake(): void {
    const wakes = this.#wakes;
    if (wakes.length === 0) return;
    this.#wakes = [];
    for (const wake of wakes) wake();
  }
}
