import { Mode } from "../../wire/ops.ts";
import { skipItems } from "../../wire/items.ts";
import type { Work } from "./chunk.ts";

/** Work that no carrier has, in line. */
export class Waiting {
  #works: Work[] = [];

  get size(): number {
    return this.#works.length;
  }

  push(work: Work): void {
    this.#works.push(work);
  }

  /** All of it; the line is empty then. */
  drain(): Work[] {
    return this.#works.splice(0);
  }

  /** The first task. */
  shift(): Work | undefined {
    const work = this.#works.shift();
    if (!work || work.count === 1) return work;
    this.#works.unshift(part(work, 1, work.count));
    return part(work, 0, 1);
  }

  /** Takes up to `wanted` tasks from the end. */
  cut(wanted: number): Work[] {
    const out: Work[] = [];
    for (let left = wanted; left > 0 && this.#works.length > 0;) {
      const work = this.#works.pop()!;
      const from = Math.max(0, work.count - left);
      if (from > 0) this.#works.push(part(work, 0, from));
      out.unshift(part(work, from, work.count));
      left -= work.count - from;
    }
    return out;
  }

  /** Takes out the tasks of a range of ids. */
  remove(first: number, count: number): Work[] {
    const out: Work[] = [];
    this.#works = this.#works.flatMap((work) => {
      const from = Math.max(0, first - work.first);
      const to = Math.min(work.count, first + count - work.first);
      if (from >= to) return [work];
      out.push(part(work, from, to));
      return [part(work, 0, from), part(work, to, work.count)].filter((rest) => rest.count > 0);
    });
    return out;
  }
}

/** Items `from` to `to` of some work, as work of its own. */
function part(work: Work, from: number, to: number): Work {
  if (work.mode >= Mode.BULK_ARGUMENTS || (from === 0 && to === work.count)) return { ...work, count: to - from };
  const start = skipItems(work.body, 0, from);
  const end = skipItems(work.body, start, to - from);
  return { ...work, first: work.first + from, count: to - from, body: work.body.slice(start, end) };
}
