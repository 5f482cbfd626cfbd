import type { SkyError } from "../../errors/sky-error.ts";
import type { Range } from "../core/ranges.ts";
import type { Scheduler } from "../core/scheduler.ts";
import type { LostRecord } from "../../wire/records.ts";
import { lossOf } from "./failure.ts";
import type { Loss } from "./loss.ts";
import { lostError, type Retries } from "./retries.ts";
import type { SegmentTable } from "./segment-table.ts";
import { type Segment, State } from "./segment.ts";

export interface LossesOptions {
  readonly scheduler: Scheduler;
  readonly segments: SegmentTable;
  readonly retries: Retries;
  /** Why a task can't run again whatever its rules say; undefined where it can. */
  readonly final: (id: number) => string | undefined;
  readonly failed: (segment: Segment, index: number, error: SkyError) => void;
}

/** Tasks whose node, process or thread is gone: who of them is to blame, who runs again, and who is lost for good. */
export class Losses {
  readonly #options: LossesOptions;

  constructor(options: LossesOptions) {
    this.#options = options;
  }

  /** A node, or its host, is gone with all that it had. */
  nodeDown(rank: number, loss: Loss): void {
    const { scheduler } = this.#options;
    const { slots } = scheduler.position(rank, 0);
    const ids = scheduler
      .nodeDown(rank)
      .flatMap((range) => Array.from({ length: range.count }, (_, i) => ({ range, id: range.first + i })));
    // Nobody saw which task took the process down. Those that had most likely started are suspects, and run by themselves
    // next; the others had most likely not, and are charged nothing.
    const unsolved = loss.cause === "hostRestarted" && loss.culprit === undefined;
    for (const [index, { range, id }] of [...ids.entries()].reverse()) {
      const suspect = unsolved && index < slots;
      this.#lost(range, id, rank, unsolved ? { ...loss, innocent: !suspect } : loss, suspect && ids.length > 1);
    }
  }

  /** A node says that a thread or process of its own is gone. */
  reported(rank: number, { tasks, detail, culprit, innocent, end }: LostRecord): void {
    for (const { id } of [...tasks].reverse()) {
      const [range] = this.#options.scheduler.ended(rank, id, 1);
      if (range) this.#lost(range, id, rank, { cause: "processDied", reason: detail, innocent, culprit, end });
    }
  }

  /** The culprit itself has ended long since, for whoever asked for it. */
  #nameOf(culprit: number): string {
    const name = this.#options.segments.find(culprit)?.bind.name;
    return name === undefined ? `t${culprit}` : `${name} (t${culprit})`;
  }

  #lost(range: Range, id: number, rank: number, loss: Loss, alone = false): void {
    const { segments, retries, final, failed } = this.#options;
    const { innocent = loss.culprit !== undefined, unsentSince = Infinity, culprit } = loss;
    const reason = culprit === undefined ? loss.reason : `${loss.reason}: ${this.#nameOf(culprit)} did not stop`;
    const segment = segments.find(id);
    if (!segment) return;
    const index = id - segment.first;
    if (segment.state(index) >= State.DONE) return;
    const unsent = (segment.times(index).sent ?? 0) > unsentSince;
    const cause = unsent ? "neverStarted" : loss.cause;
    const failure = lossOf(cause, reason, innocent || unsent, { node: rank, attempt: segment.attempt(index) });
    const why = final(id);
    const one = { ...range, first: id, count: 1 };
    if (why === undefined && retries.again(segment, one, { failure, culprit, alone: alone && !unsent })) return;
    const last = why ? { ...loss, reason: `${reason}; it can't run again: ${why}` } : { ...loss, reason };
    failed(segment, index, lostError(segment, index, rank, last));
  }
}
