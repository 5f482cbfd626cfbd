import { setTimeout as sleep } from "node:timers/promises";

/** How long and how often something is tried. Times in ms. */
export interface Patience {
  readonly firstMs: number;
  readonly longestMs: number;
  readonly limitMs: number;
}

/** Waits that grow, each with jitter, until the limit. */
export class Waits {
  readonly #patience: Patience;
  readonly #until: number;
  #next: number;

  constructor(patience: Patience) {
    this.#patience = patience;
    this.#next = patience.firstMs;
    this.#until = performance.now() + patience.limitMs;
  }

  /** How long to wait now, in ms; undefined when the limit is reached. */
  next(atLeastMs = 0): number | undefined {
    const left = this.#until - performance.now();
    if (left <= 0) return undefined;
    const ms = Math.max(atLeastMs, this.#next * (0.75 + Math.random() / 2));
    this.#next = Math.min(this.#patience.longestMs, this.#next * 1.7);
    return Math.min(left, ms);
  }

  /** @returns false when the limit is reached */
  async wait(signal?: AbortSignal): Promise<boolean> {
    const ms = this.next();
    if (ms === undefined) return false;
    await sleep(ms, undefined, signal ? { signal } : {});
    return true;
  }
}
