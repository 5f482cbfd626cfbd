import { SkyError } from "../errors/sky-error.ts";
import type { Segment } from "./dispatch/segment.ts";
import { type BatchStore, Failure } from "./batch-store.ts";
import { type Observers, Task, type TaskOwner } from "./task.ts";

/** How one task of a batch ended. */
export type Settled<T> =
  | { readonly index: number; readonly status: "fulfilled"; readonly value: T; readonly task: Task<T> }
  | { readonly index: number; readonly status: "rejected"; readonly error: unknown; readonly task: Task<T> };

/** Every end as data: iterate it, or await it for an array. */
export interface SettledView<T> extends AsyncIterable<Settled<T>>, PromiseLike<Settled<T>[]> {}

/** Makes the awaited value of a batch from its store, once all tasks have ended. Throws what awaiting it should throw. */
export type Collect<All> = (store: BatchStore) => All;

/**
 * Tasks that were dispatched together. Awaited: all results in the order of the call; the first failure rejects.
 * Iterated: each result as soon as it and all before it are there; `.unordered()`: as they come;
 * `.settled()`: with failures as data, so that one loses nothing.
 */
export class Batch<T, All = T[]> implements PromiseLike<All>, AsyncIterable<T> {
  readonly #store: BatchStore;
  readonly #owner: TaskOwner;
  readonly #observers: Observers;
  readonly #cancel: (segment: Segment, reason: SkyError, told: unknown) => void;
  readonly #collect: Collect<All> | undefined;
  /** @internal Called when somebody looks for the first time. */
  onObserved: (() => void) | undefined;
  #promise: Promise<All> | undefined;
  #observed = false;

  /** @internal */
  constructor(
    store: BatchStore,
    owner: TaskOwner,
    observers: Observers,
    cancel: (segment: Segment, reason: SkyError, told: unknown) => void,
    collect?: Collect<All>,
  ) {
    this.#store = store;
    this.#owner = owner;
    this.#observers = observers;
    this.#cancel = cancel;
    this.#collect = collect;
  }

  /** How many tasks it has; undefined while the items of an iterable are still being pulled. */
  get length(): number | undefined {
    return this.#store.total;
  }

  /** How many of them have ended. */
  get ended(): number {
    return this.#store.ended;
  }

  /** @internal Failures that nobody has looked at. */
  get unobserved(): { readonly count: number; readonly first: unknown } | undefined {
    const { failures, failure } = this.#store;
    return this.#observed || !failure ? undefined : { count: Math.max(1, failures), first: failure.error };
  }

  /**
   * Cancels what has not ended.
   * @param reason what the tasks' signals fire with, and the cause of what the caller gets. @default an AbortError
   */
  cancel(reason?: unknown): void {
    const error = new SkyError("SKY_TASK_CANCELLED", "the batch was cancelled", { cause: reason });
    if (this.#store.total === undefined) this.#store.close(error);
    for (const { segment } of [...this.#store.parts]) this.#cancel(segment, error, reason);
  }

  // oxlint-disable-next-line unicorn/no-thenable -- a batch is awaited
  then<A = All, B = never>(
    onValue?: ((value: All) => A | PromiseLike<A>) | null,
    onError?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#all().then(onValue, onError);
  }

  catch<B = never>(onError?: ((reason: unknown) => B | PromiseLike<B>) | null): Promise<All | B> {
    return this.#all().catch(onError);
  }

  finally(onEnd?: (() => void) | null): Promise<All> {
    return this.#all().finally(onEnd);
  }

  [Symbol.asyncIterator](): AsyncIterator<T> {
    return this.#iterate(false, (position) => this.#value(position));
  }

  /** Results as they come. */
  unordered(): AsyncIterable<T> {
    this.#store.arrivals();
    return { [Symbol.asyncIterator]: () => this.#iterate(true, (position) => this.#value(position)) };
  }

  /** Every end as data: in the order of the call, or with `{ ordered: false }` as they come. */
  settled({ ordered = true }: { readonly ordered?: boolean } = {}): SettledView<T> {
    this.#observe();
    if (!ordered) this.#store.arrivals();
    const iterable = { [Symbol.asyncIterator]: () => this.#iterate(!ordered, (position) => this.#settledAt(position)) };
    const all = async (): Promise<Settled<T>[]> => {
      const out: Settled<T>[] = [];
      for await (const one of iterable) out.push(one);
      return out;
    };
    // oxlint-disable-next-line unicorn/no-thenable -- awaited, the view is an array
    return { ...iterable, then: (onValue, onError) => all().then(onValue, onError) };
  }

  #observe(): void {
    this.#observed = true;
    this.onObserved?.();
  }

  #value(position: number): T {
    const result = this.#store.at(position);
    if (result instanceof Failure) throw result.error;
    return result as T;
  }

  #settledAt(position: number): Settled<T> {
    const { segment, index } = this.#store.task(position);
    const task = new Task<T>(this.#owner, segment, index, this.#observers);
    const result = this.#store.at(position);
    task.settle(result instanceof Failure, result instanceof Failure ? result.error : result, true);
    return result instanceof Failure
      ? { index: position, status: "rejected", error: result.error, task }
      : { index: position, status: "fulfilled", value: result as T, task };
  }

  #all(): Promise<All> {
    this.#observe();
    return (this.#promise ??= this.#gather());
  }

  async #gather(): Promise<All> {
    const store = this.#store;
    while (!store.complete && (this.#collect || !store.failure)) await store.change();
    if (store.broken) throw store.broken.error;
    if (this.#collect) return this.#collect(store);
    if (store.failure) throw store.failure.error;
    return store.all() as All;
  }

  #iterate<R>(byArrival: boolean, read: (position: number) => R): AsyncIterator<R> {
    const store = this.#store;
    this.#observe();
    let turn = 0;
    const next = async (): Promise<IteratorResult<R>> => {
      for (;;) {
        const position = byArrival ? store.arrivals()[turn] : store.has(turn) ? turn : undefined;
        if (position !== undefined) {
          turn++;
          if (turn > store.consumed) store.consumed = turn;
          store.onConsumed?.();
          return { done: false, value: read(position) };
        }
        if (store.total !== undefined && turn >= store.total) {
          if (store.broken) throw store.broken.error;
          return { done: true, value: undefined };
        }
        await store.change();
      }
    };
    // Who leaves the loop wants no more items pulled; tasks that are there go on.
    const leave = (): Promise<IteratorResult<R>> => {
      store.close();
      return Promise.resolve({ done: true, value: undefined });
    };
    return { next, return: leave };
  }
}
