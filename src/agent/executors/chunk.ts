import { Mode } from "../../wire/ops.ts";
import { skipItems } from "../../wire/items.ts";
import type { ChunkMessage } from "./chunk-message.ts";

/** What a large task needs: asked for when it starts. */
export interface LargeParts {
  /** The encoded value, then its externals. They are given away. */
  value: Uint8Array[];
  readonly shares: readonly number[];
}

/** Part of a TASKS record, before it has a thread. */
export interface Work {
  readonly bind: number;
  readonly mode: number;
  readonly attempt: number;
  readonly first: number;
  readonly count: number;
  readonly body: Uint8Array;
  readonly large?: LargeParts;
}

/** A chunk on a thread, as the host's main thread sees it: which of its items have an outcome. */
export class Chunk {
  readonly work: Work;
  readonly word: number;
  /** Items that are still this chunk's: fewer after a tail was cut off. */
  count: number;
  /** Items of the front that all have an outcome. */
  #below = 0;
  #done: Uint8Array | undefined;
  #ended = 0;

  constructor(work: Work, word: number) {
    this.work = work;
    this.word = word;
    this.count = work.count;
  }

  get message(): ChunkMessage {
    const { bind, mode, attempt, first, count, body } = this.work;
    return { bind, mode, attempt, first, count, body, word: this.word };
  }

  get finished(): boolean {
    return this.#ended >= this.count;
  }

  get open(): number {
    return this.count - this.#ended;
  }

  has(id: number): boolean {
    return id >= this.work.first && id < this.work.first + this.count;
  }

  isDone(item: number): boolean {
    return item < this.#below || this.#done?.[item] === 1;
  }

  /** Notes an outcome; false when the item had one. */
  end(item: number): boolean {
    if (this.isDone(item)) return false;
    this.#ended++;
    if (item === this.#below && !this.#done) {
      this.#below++;
      return true;
    }
    this.#done ??= new Uint8Array(this.work.count);
    this.#done[item] = 1;
    return true;
  }

  /** Whether `count` items from `item` are all in front of the line, so that they can be ended in one go. */
  endRun(item: number, count: number): boolean {
    if (item !== this.#below || this.#done) return false;
    this.#below += count;
    this.#ended += count;
    return true;
  }

  /** What `taken` items cut off the end are, as work for somebody else; those that were cancelled are nobody's. */
  tail(taken: number): Work[] {
    const end = this.count;
    const kept = end - taken;
    const out = this.pieces(kept);
    this.#ended -= taken - out.reduce((sum, work) => sum + work.count, 0);
    this.count = kept;
    this.#below = Math.min(this.#below, kept);
    return out;
  }

  /** The items from `from` on that have no outcome, as work of its own: one for each run of neighbours. */
  pieces(from: number): Work[] {
    const { work, count: end } = this;
    if (work.mode >= Mode.BULK_ARGUMENTS) return from === 0 && end > 0 && !this.isDone(0) ? [work] : [];
    const { bind, mode, attempt, first, body } = work;
    const out: Work[] = [];
    let at = skipItems(body, 0, from);
    for (let item = from; item < end;) {
      let to = item;
      while (to < end && !this.isDone(to)) to++;
      const next = skipItems(body, at, Math.max(1, to - item));
      if (to > item)
        out.push({ bind, mode, attempt, first: first + item, count: to - item, body: body.slice(at, next) });
      item = Math.max(to, item + 1);
      at = next;
    }
    return out;
  }
}
