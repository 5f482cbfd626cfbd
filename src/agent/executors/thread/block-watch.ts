import type { Thread } from "./thread.ts";

const LOOK_MS = 5;
const BLOCKED_MS = 20;

export interface BlockActions {
  /** Work may be moved between threads. */
  spread(): void;
  /** `waiting` tasks stand behind threads whose loops do not turn. */
  blocked(waiting: number): void;
}

/**
 * Finds threads whose event loop stands still while tasks wait for their slots: a count of items that does not move,
 * then one ping without an answer. Its timer runs only while tasks wait.
 */
export class BlockWatch {
  readonly #threads: ReadonlySet<Thread>;
  readonly #actions: BlockActions;
  #timer: NodeJS.Timeout | undefined;

  constructor(threads: ReadonlySet<Thread>, actions: BlockActions) {
    this.#threads = threads;
    this.#actions = actions;
  }

  /** Work has come: see to it that somebody watches. */
  look(): void {
    this.#timer ??= setInterval(this.#tick, LOOK_MS);
  }

  dispose(): void {
    clearInterval(this.#timer);
  }

  #tick = (): void => {
    let waiting = 0;
    let behind = 0;
    const now = performance.now();
    for (const thread of this.#threads) {
      const unclaimed = thread.unclaimed;
      waiting += unclaimed;
      if (unclaimed === 0 || !thread.ready) continue;
      const progress = thread.share.progress;
      if (progress !== thread.lastProgress) {
        thread.lastProgress = progress;
        thread.blocked = false;
      } else if (thread.pinged === 0 && !thread.blocked) {
        thread.pinged = now;
        thread.pingId++;
        thread.post({ type: "ping", id: thread.pingId });
      } else if (thread.pinged > 0 && now - thread.pinged >= BLOCKED_MS) thread.blocked = true;
      if (thread.blocked) behind += unclaimed;
    }
    if (waiting > 0) this.#actions.spread();
    if (behind > 0) this.#actions.blocked(behind);
    if (waiting === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
  };
}
