import type { Segment } from "./segment.ts";

/** Live segments in the order of their ids. */
export class SegmentTable {
  #segments: Segment[] = [];
  #hit: Segment | undefined;

  get size(): number {
    return this.#segments.length;
  }

  add(segment: Segment): void {
    this.#segments.push(segment);
  }

  /** The segment that a task belongs to; undefined once all of its tasks have ended. */
  find(id: number): Segment | undefined {
    const hit = this.#hit;
    if (hit && id >= hit.first && id < hit.first + hit.count) return hit;
    let low = 0;
    let high = this.#segments.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#segments[middle]!.first <= id) low = middle + 1;
      else high = middle;
    }
    const found = this.#segments[low - 1];
    if (!found || id >= found.first + found.count) return undefined;
    this.#hit = found;
    return found;
  }

  remove(segment: Segment): void {
    if (this.#hit === segment) this.#hit = undefined;
    const index = this.#segments.indexOf(segment);
    if (index >= 0) this.#segments.splice(index, 1);
  }

  [Symbol.iterator](): Iterator<Segment> {
    return [...this.#segments][Symbol.iterator]();
  }
}
