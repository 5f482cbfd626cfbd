import type { Chunk, Work } from "./chunk.ts";
import type { Carrier } from "./carrier.ts";

/** Bodies that a carrier was told to give up. */
interface GivenUp {
  /** The last one, which is named if the carrier has to go. */
  id: number;
  since: number;
  /** The carrier was asked whether its loop answers. */
  asked: boolean;
}

/** A carrier that does not answer a ping in this time is blocked. */
const ANSWER_MS = 100;

export interface LimitActions {
  /** The run limit of a task has passed. */
  expired(carrier: Carrier, chunk: Chunk, item: number, limitMs: number): void;
  /** The carrier does not come back by itself: end it. */
  terminate(carrier: Carrier, culprit: number): void;
  /** The carrier answers, but a body that was given up goes on: no new work for it. */
  retire(carrier: Carrier, culprit: number): void;
}

/**
 * Finds tasks that run too long, with one timer for all of them, and climbs the ladder for those that were told to stop:
 * after the grace a carrier whose loop answers is replaced and ends with its other tasks, any other is terminated.
 */
export class Limits {
  readonly #carriers: ReadonlySet<Carrier>;
  readonly #limitOf: (work: Work) => number;
  readonly #graceMs: number;
  readonly #actions: LimitActions;
  readonly #given = new Map<Carrier, GivenUp>();
  #timer: NodeJS.Timeout | undefined;
  #everyMs = 250;

  constructor(carriers: ReadonlySet<Carrier>, limitOf: (work: Work) => number, graceMs: number, actions: LimitActions) {
    this.#carriers = carriers;
    this.#limitOf = limitOf;
    this.#graceMs = graceMs;
    this.#actions = actions;
  }

  /** Tasks with this limit are about to run. */
  watch(limitMs: number): void {
    const everyMs = Math.min(250, Math.max(5, limitMs / 20));
    if (this.#timer && everyMs >= this.#everyMs) return;
    clearInterval(this.#timer);
    this.#everyMs = everyMs;
    this.#timer = setInterval(this.#look, everyMs);
  }

  gaveUp(carrier: Carrier, id: number): void {
    const known = this.#given.get(carrier);
    if (known && !known.asked) known.id = id;
    else this.#given.set(carrier, { id, since: performance.now(), asked: false });
    this.watch(this.#graceMs);
  }

  /** A body on it was given up and has its grace. */
  waitsFor(carrier: Carrier): boolean {
    return this.#given.has(carrier);
  }

  dispose(): void {
    clearInterval(this.#timer);
  }

  #look = (): void => {
    const now = performance.timeOrigin + performance.now();
    let busy = this.#given.size > 0;
    for (const carrier of this.#carriers) {
      if (carrier.open === 0) continue;
      busy = true;
      for (let slot = 0; slot < carrier.share.slots; slot++) {
        const chunk = carrier.chunks.get(carrier.share.wordOf(slot));
        if (!chunk) continue;
        const limitMs = this.#limitOf(chunk.work);
        const item = carrier.share.itemOf(slot);
        if (limitMs > 0 && now - carrier.share.startOf(slot) > limitMs && item < chunk.count && !chunk.isDone(item))
          this.#actions.expired(carrier, chunk, item, limitMs);
      }
    }
    this.#climb();
    if (!busy) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      this.#everyMs = 250;
    }
  };

  #climb(): void {
    const now = performance.now();
    for (const [carrier, given] of this.#given) {
      if (!this.#carriers.has(carrier)) this.#given.delete(carrier);
      else if (now - given.since < this.#graceMs) continue;
      else if (!given.asked) {
        given.asked = true;
        carrier.pingId++;
        carrier.pinged = now;
        carrier.post({ type: "ping", id: carrier.pingId });
      } else if (carrier.pinged === 0) {
        this.#given.delete(carrier);
        // It answered, so the stop message before the ping has been handled too: what still runs does so against it.
        if (carrier.share.abandoned > 0 || carrier.spent) this.#actions.retire(carrier, given.id);
      } else if (now - carrier.pinged > ANSWER_MS) {
        this.#given.delete(carrier);
        this.#actions.terminate(carrier, given.id);
      }
    }
  }
}
