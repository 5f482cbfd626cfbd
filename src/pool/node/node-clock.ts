/** A shorter round trip tells the time better; one of about the best is taken too, since clocks drift. */
const ABOUT = 1.2;

/** What a node's clock shows when ours shows something: found by pings, half of whose time is taken for each way. */
export class NodeClock {
  #bestMs = Number.POSITIVE_INFINITY;
  #aheadMs = Number.NaN;

  /** How far it is ahead of ours, in ms; NaN while nothing is known. */
  get aheadMs(): number {
    return this.#aheadMs;
  }

  /** A ping took `roundTripMs` and came back at `nowMs` of our clock; on its way the node's clock showed `nodeMs`. */
  heard(roundTripMs: number, nodeMs: number, nowMs: number): void {
    if (roundTripMs > this.#bestMs * ABOUT) return;
    this.#bestMs = Math.min(this.#bestMs * ABOUT, roundTripMs);
    this.#aheadMs = nodeMs - (nowMs - roundTripMs / 2);
  }
}
