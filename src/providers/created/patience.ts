import { setTimeout as sleep } from "node:timers/promises";

/** How long and how often something is tried. Times in ms. */
export interface Patience {
  readonly firstMs: number;
  readonly longestMs: number;
  readonly limitMs: number;
}

/** Waits that grow, each with jitter, until the limit: `false` when it is reached. */
export class Waits {
  readonly #patience: Patience;
  readonly #until: number;
  #next: number;

  constructor(patience: Patience) {
    this.#patience = patience;
    this.#next = patience.firstMs;
    this.#until = performance.now() + patience.limitMs;
  }

  async wait(signal?: AbortSignal): Promise<boolean> {
    const left = this.#until - performance.now();
    if (left <= 0) return false;
    const ms = Math.min(left, this.#next * (0.75 + Math.random() / 2));
    this.#next = Math.min(this.#patience.longestMs, this.#next * 1.7);
    await sleep(ms, undefined, signal ? { signal } : {});
    return true;
  }
}
