import type { Range } from "./ranges.ts";

/** One caller's tasks in line: first in, first out; what comes back goes to the front. */
export class Queue {
  readonly id: number;
  /** The only rank that may run these tasks, or -1. */
  readonly target: number;
  /** Whether tasks may be sent to a node before it has a free slot. */
  readonly ahead: boolean;
  #ranges: Range[] = [];
  #head = 0;
  size = 0;

  constructor(id: number, target: number, ahead: boolean) {
    this.id = id;
    this.target = target;
    this.ahead = ahead;
  }

  get head(): Range | undefined {
    return this.#ranges[this.#head];
  }

  push(range: Range): void {
    this.size += range.count;
    const last = this.#ranges.length > this.#head ? this.#ranges[this.#ranges.length - 1] : undefined;
    const joins =
      last &&
      last.first + last.count === range.first &&
      last.group === range.group &&
      last.attempt === range.attempt &&
      last.avoid === range.avoid &&
      !last.alone &&
      !range.alone;
    if (joins) last.count += range.count;
    else this.#ranges.push(range);
  }

  unshift(range: Range): void {
    this.size += range.count;
    if (this.#head > 0) this.#ranges[--this.#head] = range;
    else this.#ranges.unshift(range);
  }

  /** Takes up to `count` tasks from the front; they are of one range. */
  take(count: number): Range {
    const head = this.#ranges[this.#head]!;
    const taken = Math.min(count, head.count);
    this.size -= taken;
    if (taken === head.count) {
      this.#head++;
      if (this.#head === this.#ranges.length || this.#head > 1024) {
        this.#ranges = this.#ranges.slice(this.#head);
        this.#head = 0;
      }
      return head;
    }
    const piece = { ...head, count: taken };
    head.first += taken;
    head.count -= taken;
    return piece;
  }

  /** Takes `[first, first + count)` out, wherever it stands, and returns what was there. */
  remove(first: number, count: number): Range[] {
    const end = first + count;
    const removed: Range[] = [];
    const kept: Range[] = [];
    for (let i = this.#head; i < this.#ranges.length; i++) {
      const range = this.#ranges[i]!;
      const from = Math.max(range.first, first);
      const to = Math.min(range.first + range.count, end);
      if (from >= to) {
        kept.push(range);
        continue;
      }
      removed.push({ ...range, first: from, count: to - from });
      if (from > range.first) kept.push({ ...range, count: from - range.first });
      if (to < range.first + range.count) kept.push({ ...range, first: to, count: range.first + range.count - to });
      this.size -= to - from;
    }
    this.#ranges = kept;
    this.#head = 0;
    return removed;
  }
}
