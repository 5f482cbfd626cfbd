import type { Carrier } from "./carrier.ts";

/** Lends the free slots of blocked carriers to others, and gives them back. */
export class StandIns {
  readonly #carriers: ReadonlySet<Carrier>;
  readonly #concurrency: number;
  readonly #start: () => void;
  #lent = false;

  constructor(carriers: ReadonlySet<Carrier>, concurrency: number, start: () => void) {
    this.#carriers = carriers;
    this.#concurrency = concurrency;
    this.#start = start;
  }

  /** Starts carriers of one slot for work that waits behind blocked ones, within the node's slots. */
  add(waiting: number): void {
    for (const carrier of this.#carriers) {
      // A blocked one keeps the slots that it uses; the others are free for somebody else.
      if (carrier.blocked && !carrier.retired) carrier.share.allowed = Math.max(1, carrier.share.busy);
    }
    const add = Math.min(waiting, this.#concurrency - this.#held);
    for (let i = 0; i < add; i++) this.#start();
    if (add > 0) this.#lent = true;
  }

  /** A carrier that turns again gets its slots back, those of idle stand-ins first. */
  giveBack(): void {
    if (!this.#lent) return;
    for (const carrier of this.#carriers) {
      let wanted = carrier.base - carrier.share.allowed;
      if (wanted <= 0 || carrier.blocked || carrier.retired) continue;
      for (const other of this.#carriers) {
        if (wanted <= 0) break;
        if (other.base > 0 || other.open > 0 || other.retired) continue;
        other.retired = true;
        void other.end();
        wanted -= other.share.allowed;
      }
      const more = Math.min(carrier.base - carrier.share.allowed, this.#concurrency - this.#held);
      if (more <= 0) continue;
      carrier.share.allowed += more;
      carrier.post({ type: "slots" });
    }
  }

  get #held(): number {
    let held = 0;
    for (const carrier of this.#carriers) if (!carrier.retired) held += carrier.share.allowed;
    return held;
  }
}
