import type { Code } from "../../function/capture/code.ts";
import type { Bind } from "./bind.ts";
import type { Segment } from "./segment.ts";

/** Tasks whose function's files are not known yet, or whose packages no node has. */
export interface Held {
  readonly segment: Segment;
  readonly index: number;
  count: number;
}

type Ready = (held: Held, failure: { readonly error: unknown } | undefined) => void;

/** Holds tasks until their code is ready to be sent: one list for each code, and ranges, since they may be many. */
export class Unprepared {
  readonly #held = new Map<Code, Held[]>();
  readonly #prepare: (bind: Bind) => Promise<unknown>;
  readonly #ready: Ready;

  /** `prepare` does what a bind's code needs before its tasks can be queued. */
  constructor(prepare: (bind: Bind) => Promise<unknown>, ready: Ready) {
    this.#prepare = prepare;
    this.#ready = ready;
  }

  /** Whether tasks of this code wait still: later ones stand behind them. */
  holds(code: Code): boolean {
    return this.#held.has(code);
  }

  hold(segment: Segment, index: number, count: number): void {
    const { code } = segment.bind;
    const list = this.#held.get(code);
    if (!list) {
      this.#held.set(code, [{ segment, index, count }]);
      this.#prepare(segment.bind).then(
        () => this.#release(code, undefined),
        (error: unknown) => this.#release(code, { error }),
      );
      return;
    }
    const last = list[list.length - 1]!;
    if (last.segment === segment && last.index + last.count === index) last.count += count;
    else list.push({ segment, index, count });
  }

  #release(code: Code, failure: { readonly error: unknown } | undefined): void {
    const list = this.#held.get(code) ?? [];
    this.#held.delete(code);
    for (const held of list) this.#ready(held, failure);
  }
}
