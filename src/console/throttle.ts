/** Lets `limit` lines through in each second of the given clock and counts the others, so that a storm stays readable. */
export class Throttle {
  readonly #limit: number;
  #second = Number.NEGATIVE_INFINITY;
  #passed = 0;
  #held = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Whether a line may pass at `now` (ms). */
  allows(now: number): boolean {
    if (now - this.#second >= 1000) {
      this.#second = now;
      this.#passed = 0;
    }
    if (this.#passed < this.#limit) {
      this.#passed++;
      return true;
    }
    this.#held++;
    return false;
  }

  /** Lines held back since the last call. Before the second is over it says 0, unless `now` is left out. */
  takeHeld(now = Number.POSITIVE_INFINITY): number {
    if (now - this.#second < 1000) return 0;
    const held = this.#held;
    this.#held = 0;
    return held;
  }
}
