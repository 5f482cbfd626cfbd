import type { ProcessEnd } from "../../wire/records.ts";
import { SkyError } from "../../errors/sky-error.ts";
import { Delays } from "../core/delays.ts";
import type { Range } from "../core/ranges.ts";
import { type Failure, runsAgain } from "../core/retry.ts";
import type { Scheduler } from "../core/scheduler.ts";
import { waiting } from "../core/waiting.ts";
import type { DispatchEvents } from "./dispatch-events.ts";
import { messageOf } from "../message-of.ts";
import type { Loss } from "./loss.ts";
import { type Segment, State } from "./segment.ts";

/** Attempts are one byte on the wire. */
const MAX_ATTEMPT = 255;
/** Longer waits are cut into pieces: a timer takes no more. */
const TIMER_MAX_MS = 2 ** 30;

export interface RetriesOptions {
  readonly scheduler: Scheduler;
  readonly retryOnInterruption: number;
  readonly events: DispatchEvents;
  readonly now: () => number;
  /** Tasks stand in their queues again. */
  readonly queued: () => void;
}

/** A task that waits for its next try. */
interface Waiting {
  readonly segment: Segment;
  readonly range: Range;
  readonly attempt: number;
  readonly avoid: number;
}

/** How a try ended. */
export interface TryEnd {
  readonly failure: Failure;
  /** When it ended and how long it ran, where that is known. */
  readonly endedAt?: number;
  readonly ranMs?: number;
  /** The task that brought it down. */
  readonly culprit?: number | undefined;
  /** The next try gets a node for itself. */
  readonly alone?: boolean;
}

/** Writes failed tries into a task's history and queues the task again where its rules allow. */
export class Retries {
  readonly #options: RetriesOptions;
  readonly #waiting = new Delays<Waiting>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: RetriesOptions) {
    this.#options = options;
  }

  /** `range` is the task's place in the scheduler. False when this try was the last. */
  again(segment: Segment, range: Range, end: TryEnd): boolean {
    const { scheduler, events } = this.#options;
    const { failure, culprit, alone = false } = end;
    const index = range.first - segment.first;
    const history = segment.history.get(index) ?? [];
    const attempt = segment.attempt(index);
    if (attempt >= MAX_ATTEMPT) return false;
    const waitMs = this.#decided(segment, failure, history.filter((one) => !one.innocent).length);
    if (waitMs === undefined) return false;
    const now = this.#options.now();
    const sent = segment.times(index).sent ?? now;
    const ended = Math.min(now, Math.max(sent, end.endedAt ?? now));
    history.push({
      attempt,
      node: failure.node,
      reason: failure.message,
      cause: failure.cause ?? "failed",
      innocent: failure.innocent,
      sent,
      started: end.ranMs === undefined ? undefined : Math.max(sent, ended - end.ranMs),
      ended,
    });
    segment.history.set(index, history);
    segment.requeued(index);
    if (waitMs === 0) scheduler.retry(range, attempt + 1, failure.node, alone);
    else {
      this.#waiting.add(now + waitMs, { segment, range, attempt: attempt + 1, avoid: failure.node });
      this.#arm();
    }
    events.retried(segment, index, history.at(-1)!, waitMs, culprit);
    return true;
  }

  /** Why tasks wait here, in words; undefined when none does. */
  explain(): string | undefined {
    const reason = this.reason();
    const { next } = this.#waiting;
    if (next === undefined || reason === undefined) return undefined;
    const seconds = (Math.max(0, next - this.#options.now()) / 1000).toFixed(1);
    return `${reason}, the first for ${seconds} s more`;
  }

  reason(): string | undefined {
    const { size } = this.#waiting;
    return size === 0 ? undefined : `${waiting(size)} for the time of the next try`;
  }

  dispose(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** A rule that throws has not said yes; that is told. */
  #decided(segment: Segment, failure: Failure, charged: number): number | undefined {
    const { retry, rerun } = segment.bind.options;
    const { retryOnInterruption, events } = this.#options;
    try {
      return runsAgain(failure, charged, { retryOnInterruption, retry, rerun });
    } catch (error) {
      const { name } = segment.bind;
      events.problem(`the retry rule of ${name} failed, so its task is not tried again: ${messageOf(error)}`);
      return undefined;
    }
  }

  /** One timer for all that wait. */
  #arm(): void {
    const { next } = this.#waiting;
    clearTimeout(this.#timer);
    if (next === undefined) return;
    const wait = Math.min(TIMER_MAX_MS, Math.max(0, next - this.#options.now()));
    this.#timer = setTimeout(this.#due, wait);
  }

  #due = (): void => {
    const { scheduler, now, queued } = this.#options;
    for (const { segment, range, attempt, avoid } of this.#waiting.take(now())) {
      // It may have been cancelled meanwhile.
      if (segment.state(range.first - segment.first) === State.QUEUED) scheduler.retry(range, attempt, avoid);
    }
    this.#arm();
    queued();
  };
}

/** As `details` has it: what there is. */
function endOf({ code, signal, stderr }: ProcessEnd): object {
  return { ...(signal === null ? { exitCode: code } : { signal }), stderr };
}

/** What a task fails with when it was lost for good. */
export function lostError(segment: Segment, index: number, rank: number, { cause, reason, end }: Loss): SkyError {
  const attempt = segment.attempt(index);
  const never = segment.bind.options.rerun === "never";
  return new SkyError(
    "SKY_TASK_LOST",
    `${segment.bind.name}: the task was lost on node ${rank} in attempt ${attempt}: ${reason}`,
    {
      details: { node: rank, task: `t${segment.first + index}`, attempt, cause, reason, ...(end && endOf(end)) },
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
