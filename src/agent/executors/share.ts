/** What the host and a carrier share about chunks, as the host sees it: what has started, since when, what can be taken back. */
export interface HostShare {
  readonly slots: number;
  /** A number that moves while the carrier begins and ends items. */
  readonly progress: number;
  /** Slots that the carrier may use. */
  allowed: number;
  /** Bodies that were given up and still run. */
  readonly abandoned: number;
  /** Slots that run a task. */
  readonly busy: number;
  /** A chunk of `count` items is about to leave under this word. */
  open(word: number, count: number): void;
  /** Items claimed so far. */
  claimed(word: number): number;
  unclaimed(word: number): number;
  /** Cuts up to `wanted` unclaimed items off the end; returns how many. */
  cut(word: number, wanted: number): number;
  /** The chunk word that a slot works on, or -1. */
  wordOf(slot: number): number;
  itemOf(slot: number): number;
  /** When the slot's task began, ms since the epoch. */
  startOf(slot: number): number;
}

/** A claim's answer when the next item may be the carrier's or not: it will be told. */
export const LATER = -2;

/** The same as the carrier's own program sees it. */
export interface SlotShare {
  readonly slots: number;
  readonly allowed: number;
  /** A chunk has come. */
  arrived(word: number, count: number): void;
  /** Takes the next item of a chunk; -1 when none is left, `LATER` when that is not known now. */
  claim(word: number): number;
  claimed(word: number): number;
  unclaimed(word: number): number;
  begin(slot: number, word: number, item: number, now: number): void;
  end(slot: number): void;
  tick(): void;
  abandon(change: 1 | -1): void;
  wordOf(slot: number): number;
}
