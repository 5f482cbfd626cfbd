/** Two clocks, and times that are shared out evenly, may overlap by this much: ms. */
const SLACK_MS = 0.1;

/**
 * Rows for spans that come in the order of their ends, so that none overlap on a row and there are as few rows as can be.
 */
export class Lanes {
  /** The end of the last span on each row. */
  readonly #ends: number[] = [];

  get size(): number {
    return this.#ends.length;
  }

  /** The row for a span, of those that are free by its start the one that was free last; and since when it is free. */
  place(start: number, end: number): { readonly lane: number; readonly free: number } {
    let best = -1;
    for (const [lane, free] of this.#ends.entries())
      if (free <= start + SLACK_MS && (best < 0 || free > this.#ends[best]!)) best = lane;
    if (best < 0) best = this.#ends.length;
    const free = this.#ends[best] ?? start;
    this.#ends[best] = end;
    return { lane: best, free };
  }
}
