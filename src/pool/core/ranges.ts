/** Consecutive task ids that were given to a node together. */
export interface Range {
  first: number;
  count: number;
  /** 1 for the first try. */
  readonly attempt: number;
  /** Rank that a retry would rather not see again, or -1. */
  readonly avoid: number;
  /** It may have killed the process that it ran in: it gets a node for itself, so that the next time it is known. */
  readonly alone?: boolean;
  /** Tasks of one group take about the same time: one function's code. */
  readonly group: number;
  /** The queue that the range came from and returns to. */
  readonly queue: number;
}

/** Disjoint ranges in ascending order: what runs on a node. */
export class RangeSet {
  readonly #ranges: Range[] = [];
  #hit = 0;

  get ranges(): readonly Range[] {
    return this.#ranges;
  }

  add(range: Range): void {
    const ranges = this.#ranges;
    const last = ranges[ranges.length - 1];
    if (!last || last.first < range.first) ranges.push(range);
    else ranges.splice(this.#firstAbove(range.first), 0, range);
  }

  /** Takes `[first, first + count)` out and returns the pieces that were there. */
  remove(first: number, count: number): Range[] {
    const end = first + count;
    const pieces: Range[] = [];
    let index = this.#find(first);
    while (index < this.#ranges.length) {
      const range = this.#ranges[index]!;
      const rangeEnd = range.first + range.count;
      if (range.first >= end) break;
      const from = Math.max(range.first, first);
      const to = Math.min(rangeEnd, end);
      if (from >= to) {
        index++;
        continue;
      }
      pieces.push({ ...range, first: from, count: to - from });
      const before = from - range.first;
      const after = rangeEnd - to;
      if (before > 0) {
        range.count = before;
        index++;
        if (after > 0) this.#ranges.splice(index, 0, { ...range, first: to, count: after });
      } else if (after > 0) {
        range.first = to;
        range.count = after;
      } else this.#ranges.splice(index, 1);
    }
    return pieces;
  }

  /** Index of the range that holds `id`, or of the first one after it. */
  #find(id: number): number {
    const at = this.#ranges[this.#hit];
    if (at && at.first <= id && id < at.first + at.count) return this.#hit;
    const above = this.#firstAbove(id);
    const before = this.#ranges[above - 1];
    this.#hit = before && id < before.first + before.count ? above - 1 : above;
    return this.#hit;
  }

  #firstAbove(id: number): number {
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#ranges[middle]!.first <= id) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
