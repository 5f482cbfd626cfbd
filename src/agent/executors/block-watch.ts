import type { Carrier } from "./carrier.ts";

const LOOK_MS = 5;
const BLOCKED_MS = 20;

export interface BlockActions {
  /** Work may be moved between carriers. */
  spread(): void;
  /** `waiting` tasks stand behind carriers whose loops do not turn. */
  blocked(waiting: number): void;
}

/**
 * Finds carriers whose event loop stands still while tasks wait for their slots: a count of items that does not move,
 * then one ping without an answer. Its timer runs only while tasks wait.
 */
export class BlockWatch {
  readonly #carriers: ReadonlySet<Carrier>;
  readonly #actions: BlockActions;
  #timer: NodeJS.Timeout | undefined;

  constructor(carriers: ReadonlySet<Carrier>, actions: BlockActions) {
    this.#carriers = carriers;
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
    for (const carrier of this.#carriers) {
      const unclaimed = carrier.unclaimed;
      waiting += unclaimed;
      if (unclaimed === 0 || !carrier.ready) continue;
      const progress = carrier.share.progress;
      if (progress !== carrier.lastProgress) {
        carrier.lastProgress = progress;
        carrier.blocked = false;
      } else if (carrier.pinged === 0 && !carrier.blocked) {
        carrier.pinged = now;
        carrier.pingId++;
        carrier.post({ type: "ping", id: carrier.pingId });
      } else if (carrier.pinged > 0 && now - carrier.pinged >= BLOCKED_MS) carrier.blocked = true;
      if (carrier.blocked) behind += unclaimed;
    }
    if (waiting > 0) this.#actions.spread();
    if (behind > 0) this.#actions.blocked(behind);
    if (waiting === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
  };
}
