import type { LossCause } from "../../events/node-events.ts";
import type { Range } from "../core/ranges.ts";
import { type Failure, runsAgain } from "../core/retry.ts";
import type { Scheduler } from "../core/scheduler.ts";
import { SkyError } from "../../errors/sky-error.ts";
import type { DispatchEvents, Loss } from "./dispatcher.ts";
import type { Segment } from "./segment.ts";

/** Attempts are one byte on the wire. */
const MAX_ATTEMPT = 255;

export interface RetriesOptions {
  readonly scheduler: Scheduler;
  readonly retryOnInterruption: number;
  readonly events: DispatchEvents;
  readonly now: () => number;
}

/** Writes failed tries into a task's history and queues the task again where its rules allow. */
export class Retries {
  readonly #options: RetriesOptions;

  constructor(options: RetriesOptions) {
    this.#options = options;
  }

  /** `range` is the task's place in the scheduler. False when this try was the last. */
  again(
    segment: Segment,
    range: Range,
    rank: number,
    failure: Failure,
    cause: LossCause | "failed",
    culprit?: number,
    alone = false,
  ): boolean {
    const { scheduler, retryOnInterruption, events } = this.#options;
    const index = range.first - segment.first;
    const history = segment.history.get(index) ?? [];
    const now = this.#options.now();
    const sent = segment.times(index).sent ?? now;
    const attempt = segment.attempt(index);
    const charged = history.filter((one) => !one.innocent).length;
    const { retry, rerun } = segment.bind.options;
    const again =
      attempt < MAX_ATTEMPT &&
      decided(() =>
        runsAgain(failure, charged, now - (history[0]?.sent ?? sent), { retryOnInterruption, retry, rerun }),
      );
    history.push({
      attempt,
      node: rank,
      reason: failure.message,
      innocent: failure.innocent ?? false,
      sent,
      ended: now,
    });
    segment.history.set(index, history);
    if (!again) return false;
    segment.requeued(index);
    scheduler.retry(range, attempt + 1, rank, alone);
    events.retried(segment, index, attempt + 1, rank, cause, failure.message, culprit);
    return true;
  }
}

/** What a task fails with when it was lost for good. */
export function lostError(segment: Segment, index: number, rank: number, { cause, reason }: Loss): SkyError {
  const attempt = segment.attempt(index);
  const never = segment.bind.options.rerun === "never";
  return new SkyError(
    "SKY_TASK_LOST",
    `${segment.bind.name}: the task was lost on node ${rank} in attempt ${attempt}: ${reason}`,
    {
      details: { node: rank, task: `t${segment.first + index}`, attempt, cause, reason },
      ...(never ? { hint: 'It was started, and rerun: "never" forbids a second try.' } : {}),
    },
  );
}

/** Where an error of a function happened goes with it, out of the way of its own properties. */
export function attribute(error: unknown, segment: Segment, index: number, rank: number): void {
  if (typeof error !== "object" || error === null || !Object.isExtensible(error)) return;
  const value = { node: rank, task: `t${segment.first + index}`, attempt: segment.attempt(index) };
  Object.defineProperty(error, "sky", { value, enumerable: false, configurable: true });
}

/** What a failed try looks like to a retry rule; undefined for a thrown value that is no error. */
export function failureOf(error: unknown): Failure | undefined {
  if (!(error instanceof Error)) return undefined;
  const timeout = error instanceof SkyError && error.code === "SKY_TASK_TIMEOUT";
  return { kind: timeout ? "timeout" : "error", name: error.name, message: error.message };
}

/** A user's rule that throws has not said yes. */
function decided(rule: () => boolean): boolean {
  try {
    return rule();
  } catch {
    return false;
  }
}
