import type { LossCause } from "../errors/loss-cause.ts";
import { SkyError } from "../errors/sky-error.ts";
import type { Stream } from "../function/stream.ts";
import { TaskElements } from "./task-elements.ts";
import { type AttemptRecord, type Segment, startOf, State, type TaskProgress } from "./dispatch/segment.ts";

export type TaskStatus = "queued" | "running" | "done" | "failed" | "cancelled";

/**
 * When things happened to a task, in milliseconds since the pool opened; undefined for what has not happened. The node's
 * clock is led back to this one's by round trips, so that the order always holds; the times of tasks whose outcomes came
 * back together are shared out evenly among them.
 */
export interface TaskTiming {
  readonly queued: number;
  /** To the node of the last attempt. */
  readonly sent: number | undefined;
  readonly started: number | undefined;
  readonly ended: number | undefined;
  /** When the outcome was here. */
  readonly received: number | undefined;
}

/** One try of a task. */
export interface TaskAttempt {
  /** 1 for the first. */
  readonly attempt: number;
  readonly node: number;
  /** Times are as in `TaskTiming`. */
  readonly sent: number | undefined;
  /** Undefined for one that was lost too: nobody could tell. */
  readonly started: number | undefined;
  readonly ended: number | undefined;
  /** Why it failed, in words; undefined for one that did not. */
  readonly reason: string | undefined;
  /** `failed` when the function threw or its time was up; else how the try was lost. */
  readonly cause: LossCause | "failed" | undefined;
}

/** Where a task stands in the books; `Segment` is one. */
export type TaskSource = Pick<Segment, "first" | "queuedAt" | "state" | "rank" | "attempt" | "times"> & {
  readonly history: ReadonlyMap<number, readonly AttemptRecord[]>;
  readonly progress: ReadonlyMap<number, TaskProgress>;
  readonly bind: { readonly name: string };
};

/** What a task needs of its pool. */
export interface TaskOwner {
  /** How many tasks stand before this one on its node, and how many that runs at a time. */
  position(rank: number, id: number): { before: number; slots: number };
  /** @param told what the task's signal fires with */
  cancel(source: TaskSource, index: number, told: unknown): void;
}

/** Told which tasks failed and whether anybody looked. */
export interface Observers {
  unobserved(task: Task<unknown>): void;
  observed(task: Task<unknown>): void;
}

const PENDING = Symbol("pending");

/** What iterating a task gives: the elements of its stream. Other tasks can't be iterated. */
export type Elements<T> = T extends Stream<infer E> ? AsyncIterator<E, void, undefined> : NoStream;

/** The task gives a value, not a stream: await it. */
export interface NoStream {
  readonly isNoStream?: true;
}

/**
 * One dispatched call. Await it for the result; its promise is made when asked for. A failure that nobody awaits is
 * reported when the pool closes.
 */
export class Task<T> implements PromiseLike<T> {
  readonly #owner: TaskOwner;
  readonly #segment: TaskSource;
  readonly #index: number;
  readonly #observers: Observers;
  #value: unknown = PENDING;
  #failed = false;
  #promise: Promise<T> | undefined;
  #resolve: ((value: unknown) => void) | undefined;
  #reject: ((reason: unknown) => void) | undefined;

  /** @internal */
  constructor(owner: TaskOwner, segment: TaskSource, index: number, observers: Observers) {
    this.#owner = owner;
    this.#segment = segment;
    this.#index = index;
    this.#observers = observers;
  }

  /** Unique in its pool, such as "t17". */
  get id(): string {
    return `t${this.#segment.first + this.#index}`;
  }

  get status(): TaskStatus {
    const state = this.#segment.state(this.#index);
    if (state === State.RUNNING) {
      const { before, slots } = this.#owner.position(
        this.#segment.rank(this.#index),
        this.#segment.first + this.#index,
      );
      return before < slots ? "running" : "queued";
    }
    return (["queued", "running", "done", "failed", "cancelled"] as const)[state]!;
  }

  /** Rank of the node that runs or ran it; undefined while it waits for its first. */
  get node(): number | undefined {
    const rank = this.#segment.rank(this.#index);
    return rank < 0 ? undefined : rank;
  }

  /** Whether its result was kept by an earlier run: nothing ran for it, on no node. */
  get cached(): boolean {
    return this.#segment.state(this.#index) === State.DONE && this.#segment.attempt(this.#index) === 0;
  }

  /** All tries so far, the current one last; empty before the first. */
  get attempts(): readonly TaskAttempt[] {
    const attempt = this.#segment.attempt(this.#index);
    const earlier = (this.#segment.history.get(this.#index) ?? []).map(({ innocent: _, ...one }): TaskAttempt => one);
    if (attempt === 0 || earlier.at(-1)?.attempt === attempt) return earlier;
    const { sent, started, ended } = this.timing;
    const failed = this.#failed && this.status === "failed";
    const last: TaskAttempt = {
      attempt,
      node: this.#segment.rank(this.#index),
      sent,
      started,
      ended,
      reason: failed ? reasonOf(this.#value) : undefined,
      cause: failed ? causeOf(this.#value) : undefined,
    };
    return [...earlier, last];
  }

  get timing(): TaskTiming {
    const { sent, ended, received, ranMs } = this.#segment.times(this.#index);
    return {
      queued: this.#segment.queuedAt,
      sent,
      started: startOf(sent, ended, ranMs),
      ended,
      received,
    };
  }

  /** What its body last told by `sky.task().progress`; undefined while it has told nothing. */
  get progress(): TaskProgress | undefined {
    return this.#segment.progress.get(this.#index);
  }

  /**
   * Stops the task wherever it is: in the queue nothing is sent, on a node its signal fires and the work is stopped.
   * @param reason what the signal fires with, and the cause of what the caller gets. @default an AbortError
   */
  cancel(reason?: unknown): void {
    if (this.#segment.state(this.#index) >= State.DONE) return;
    this.#owner.cancel(this.#segment, this.#index, reason);
  }

  // oxlint-disable-next-line unicorn/no-thenable -- a task is awaited
  then<A = T, B = never>(
    onValue?: ((value: T) => A | PromiseLike<A>) | null,
    onError?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#settled().then(onValue, onError);
  }

  catch<B = never>(onError?: ((reason: unknown) => B | PromiseLike<B>) | null): Promise<T | B> {
    return this.#settled().catch(onError);
  }

  finally(onEnd?: (() => void) | null): Promise<T> {
    return this.#settled().finally(onEnd);
  }

  get [Symbol.toStringTag](): string {
    return "Task";
  }

  /** The elements of a task that gives a stream: `for await (const x of pool.run(generate(5)))`. */
  [Symbol.asyncIterator](): Elements<T> {
    return new TaskElements(this) as unknown as Elements<T>;
  }

  /** @internal The outcome has come. `seen`: whoever made this task knows it already. */
  settle(failed: boolean, value: unknown, seen = false): void {
    this.#value = value;
    this.#failed = failed;
    if (this.#resolve) {
      if (failed) this.#reject!(value);
      else this.#resolve(value);
      this.#resolve = undefined;
      this.#reject = undefined;
    } else if (failed && !seen) this.#observers.unobserved(this);
  }

  /** @internal What it failed with, for the report at the end. */
  get failure(): unknown {
    return this.#value;
  }

  /** @internal */
  get name(): string {
    return this.#segment.bind.name;
  }

  #settled(): Promise<T> {
    if (this.#promise) return this.#promise;
    if (this.#value === PENDING) {
      this.#promise = new Promise<T>((resolve, reject) => {
        this.#resolve = resolve as (value: unknown) => void;
        this.#reject = reject;
      });
    } else if (this.#failed) {
      this.#observers.observed(this);
      this.#promise = Promise.reject(this.#value);
    } else this.#promise = Promise.resolve(this.#value as T);
    return this.#promise;
  }
}

/** The books of a task that was refused: it has failed before it was queued. */
export const REFUSED: TaskSource = {
  first: 0,
  queuedAt: 0,
  history: new Map(),
  progress: new Map(),
  bind: { name: "a refused call" },
  state: () => State.FAILED,
  rank: () => -1,
  attempt: () => 0,
  times: () => ({ sent: undefined, ended: undefined, received: undefined, ranMs: undefined }),
};

function reasonOf(error: unknown): string {
  const { reason } = error instanceof SkyError ? error.details : {};
  if (typeof reason === "string") return reason;
  return error instanceof Error ? error.message : String(error);
}

function causeOf(error: unknown): LossCause | "failed" {
  return error instanceof SkyError && error.code === "SKY_TASK_LOST" ? (error.details["cause"] as LossCause) : "failed";
}
