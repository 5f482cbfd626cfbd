import type { EventBus } from "../events/bus.ts";
import type { SkyEvent } from "../events/event.ts";
import type { TaskTimes } from "../events/task-events.ts";
import type { DispatchEvents } from "./dispatch/dispatch-events.ts";
import type { Dispatcher } from "./dispatch/dispatcher.ts";
import { type AttemptRecord, type Segment, startOf, State } from "./dispatch/segment.ts";

const EVERY_MS = 100;

/** Tells the bus how tasks fare: counts at most ten times a second, single tasks only where somebody listens. */
export class Progress implements DispatchEvents {
  readonly #bus: EventBus;
  readonly #pool: string;
  readonly #epochMs: number;
  #dispatcher: Dispatcher | undefined;
  #timer: NodeJS.Timeout | undefined;
  #last = 0;

  /** `epochMs`: when the pool's clock began. */
  constructor(bus: EventBus, pool: string, epochMs: number) {
    this.#bus = bus;
    this.#pool = pool;
    this.#epochMs = epochMs;
  }

  watch(dispatcher: Dispatcher): void {
    this.#dispatcher = dispatcher;
  }

  retried(segment: Segment, index: number, tried: AttemptRecord, waitMs: number, culprit: number | undefined): void {
    const { attempt, node, cause: reason, reason: message } = tried;
    this.#emit({
      type: "Task.Retried",
      ...this.#base(),
      task: `t${segment.first + index}`,
      name: segment.bind.name,
      node,
      attempt: attempt + 1,
      reason,
      message,
      times: this.#times(segment, tried.sent, tried.started, tried.ended),
      ...(waitMs > 0 ? { waitMs } : {}),
      ...(culprit === undefined ? {} : { culprit: `t${culprit}` }),
    });
  }

  cached(name: string, count: number): void {
    this.#emit({ type: "Tasks.Cached", ...this.#base(), name, count });
  }

  problem(message: string): void {
    this.#emit({ type: "Error.Occurred", ...this.#base(), message, fatal: false });
  }

  ended(segment: Segment, index: number): void {
    const state = segment.state(index);
    // What came without an attempt was there before.
    if (state === State.DONE && segment.attempt(index) === 0) return this.#served(segment, index);
    const type = state === State.DONE ? "Task.Completed" : state === State.FAILED ? "Task.Failed" : "Task.Cancelled";
    if (!this.#bus.wants(type)) return;
    const { sent, ended, ranMs } = segment.times(index);
    const of = {
      ...this.#base(),
      task: `t${segment.first + index}`,
      name: segment.bind.name,
      attempt: segment.attempt(index),
      elapsedMs: ranMs ?? 0,
      times: this.#times(segment, sent, startOf(sent, ended, ranMs), ended),
    };
    const rank = segment.rank(index);
    if (type === "Task.Completed") this.#emit({ type, ...of, node: rank });
    else if (type === "Task.Failed")
      this.#emit({ type, ...of, ...(rank < 0 ? {} : { node: rank }), error: failureOf(segment.failure) });
    else this.#emit({ type, ...of, ...(rank < 0 ? {} : { node: rank }) });
  }

  #served(segment: Segment, index: number): void {
    if (!this.#bus.wants("Task.Cached")) return;
    const task = `t${segment.first + index}`;
    this.#emit({ type: "Task.Cached", ...this.#base(), task, name: segment.bind.name });
  }

  /** A body said how far it is. */
  task(node: number, id: number, done: number, of: number | null): void {
    const segment = this.#dispatcher?.segmentOf(id);
    if (!segment) return;
    const index = id - segment.first;
    const progress = { done, ...(of === null ? {} : { of }) };
    segment.progress.set(index, progress);
    if (!this.#bus.wants("Task.Progress")) return;
    const task = `t${id}`;
    this.#emit({
      type: "Task.Progress",
      ...this.#base(),
      node,
      task,
      name: segment.bind.name,
      attempt: segment.attempt(index),
      ...progress,
    });
  }

  changed(): void {
    if (this.#timer) return;
    const wait = this.#last + EVERY_MS - performance.now();
    if (wait <= 0) this.flush();
    else this.#timer = setTimeout(() => this.flush(), wait).unref();
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#last = performance.now();
    if (!this.#dispatcher) return;
    const { counts, scheduler } = this.#dispatcher;
    const running = scheduler.inFlight;
    const reason = running === 0 && counts.queued > 0 ? this.#dispatcher.reason() : undefined;
    this.#emit({
      type: "Tasks.Progress",
      ...this.#base(),
      queued: Math.max(0, counts.queued - running),
      running,
      done: counts.done,
      failed: counts.failed,
      cancelled: counts.cancelled,
      perNode: [...counts.perNode],
      runningPerNode: scheduler.loads(),
      ...(reason === undefined ? {} : { reason }),
    });
  }

  #times(
    { queuedAt }: Segment,
    sent: number | undefined,
    started: number | undefined,
    ended: number | undefined,
  ): TaskTimes {
    const at = (ms: number): number => this.#epochMs + ms;
    return {
      queuedAt: at(queuedAt),
      ...(sent === undefined ? {} : { sentAt: at(sent) }),
      ...(started === undefined ? {} : { startedAt: at(started) }),
      ...(ended === undefined ? {} : { endedAt: at(ended) }),
    };
  }

  #base(): { pool: string; at: number } {
    return { pool: this.#pool, at: Date.now() };
  }

  #emit(event: SkyEvent): void {
    this.#bus.emit(event);
  }
}

function failureOf(error: unknown): { name: string; message: string; code?: string } {
  if (!(error instanceof Error)) return { name: "Error", message: String(error) };
  const { code } = error as { code?: unknown };
  return { name: error.name, message: error.message, ...(typeof code === "string" ? { code } : {}) };
}
