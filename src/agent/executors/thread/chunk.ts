import { Mode } from "../../../wire/ops.ts";
import { skipItems } from "../../../wire/items.ts";
import type { ChunkMessage } from "./chunk-message.ts";

/** Part of a TASKS record, before it has a thread. */
export interface Work {
  readonly bind: number;
  readonly mode: number;
  readonly attempt: number;
  readonly first: number;
  readonly count: number;
  readonly body: Uint8Array;
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
    return { ...this.work, word: this.word };
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
    const { work, count: end } = this;
    const kept = end - taken;
    const out: Work[] = [];
    const bulk = work.mode >= Mode.BULK_ARGUMENTS;
    let at = bulk ? 0 : skipItems(work.body, 0, kept);
    for (let item = kept; item < end;) {
      let to = item;
      while (to < end && !this.isDone(to)) to++;
      if (to === item) {
        this.#ended--;
        if (!bulk) at = skipItems(work.body, at, 1);
        item++;
        continue;
      }
      const next = bulk ? 0 : skipItems(work.body, at, to - item);
      out.push(bulk ? work : { ...work, first: work.first + item, count: to - item, body: work.body.slice(at, next) });
      [item, at] = [to, next];
    }
    this.count = kept;
    this.#below = Math.min(this.#below, kept);
    return out;
  }

  /** One item as work of its own. */
  single(item: number): Work {
    if (this.work.mode >= Mode.BULK_ARGUMENTS) return this.work;
    const start = skipItems(this.work.body, 0, item);
    return {
      ...this.work,
      first: this.work.first + item,
      count: 1,
      body: this.work.body.slice(start, skipItems(this.work.body, start, 1)),
    };
  }
}
