import { type Segment, type SegmentSink, State } from "./dispatch/segment.ts";

export class Failure {
  readonly error: unknown;
  constructor(error: unknown) {
    this.error = error;
  }
}

const EMPTY = Symbol("empty");

/** What became of a batch's tasks so far, by position, and who waits for more of it. */
export class BatchStore implements SegmentSink {
  readonly parts: { readonly segment: Segment; readonly base: number }[] = [];
  readonly #results: unknown[] = [];
  /** Positions in the order of arrival; kept from when somebody wants them. */
  #arrivals: number[] | undefined;
  /** How many tasks there are, once that is known. */
  total: number | undefined;
  ended = 0;
  failures = 0;
  /** The first one in time. */
  failure: Failure | undefined;
  /** Pulling the items failed: nothing comes after those that are there. */
  broken: Failure | undefined;
  /** Positions that the furthest iterator has passed; -1 while nobody iterates. */
  consumed = -1;
  onEnded: (() => void) | undefined;
  onConsumed: (() => void) | undefined;
  #wakes: (() => void)[] = [];

  get size(): number {
    return this.#results.length;
  }

  get complete(): boolean {
    return this.total === this.ended;
  }

  add(segment: Segment, count: number): void {
    const base = this.#results.length;
    this.parts.push({ segment, base });
    for (let i = 0; i < count; i++) this.#results.push(EMPTY);
  }

  /** The number of tasks is final. */
  close(broken?: unknown): void {
    if (broken !== undefined) {
      this.broken = new Failure(broken);
      this.failure ??= this.broken;
    }
    this.total = this.#results.length;
    this.wake();
  }

  settled(segment: Segment, index: number, state: number, value: unknown): void {
    const at = this.#baseOf(segment) + index;
    if (state === State.DONE) this.#results[at] = value;
    else {
      const failure = new Failure(value);
      this.#results[at] = failure;
      this.failure ??= failure;
      this.failures++;
    }
    this.ended++;
    this.#arrivals?.push(at);
    if (this.#wakes.length > 0) this.wake();
    this.onEnded?.();
  }

  has(position: number): boolean {
    return position < this.#results.length && this.#results[position] !== EMPTY;
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
      for (let i = 0; i < this.#results.length; i++) if (this.#results[i] !== EMPTY) this.#arrivals.push(i);
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

  #baseOf(segment: Segment): number {
    const last = this.parts[this.parts.length - 1]!;
    return last.segment === segment ? last.base : this.parts.find((one) => one.segment === segment)!.base;
  }
}
