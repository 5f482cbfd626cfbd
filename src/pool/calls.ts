import { BroadcastError } from "../errors/broadcast-error.ts";
import { SkyError } from "../errors/sky-error.ts";
import { type AnyFn, isFn } from "../function/brand.ts";
import type { Code } from "../function/capture/code.ts";
import { fn } from "../function/fn.ts";
import { type Group, isGroup, membersOf } from "../function/group.ts";
import { NO_OPTIONS, type ResolvedOptions } from "../function/options.ts";
import { argsOf, fnOf, isPending, optionsOf, type Pending } from "../function/pending.ts";
import { Batch, type Collect } from "./batch.ts";
import { BatchStore, Failure } from "./batch-store.ts";
import type { CallOptions } from "./call-options.ts";
import type { Bind } from "./dispatch/bind.ts";
import type { Dispatcher } from "./dispatch/dispatcher.ts";
import type { Segment } from "./dispatch/segment.ts";
import { sourcesOfAll } from "./dispatch/sources.ts";
import { Sharing } from "./dispatch/sharing.ts";
import { pull } from "./pull.ts";
import { RunLine } from "./run-line.ts";
import { REFUSED, type Observers, Task, type TaskOwner } from "./task.ts";

/** Items of a large map that leave before the rest is encoded. */
const FIRST_ITEMS = 512;
/** Longer texts are encoded in the call, since an item that waits must be small. */
const SHORT_TEXT = 64;

interface HowDispatched {
  /** Every item is a short scalar. */
  readonly small?: boolean;
  readonly sharing?: Sharing;
  /** The bind of a call that goes on. */
  readonly held?: Bind;
}

/** What turns calls into tasks: one method per form of `pool.run`, `broadcast`, `map` and `starmap`. */
export class Calls {
  readonly #dispatcher: Dispatcher;
  readonly #owner: TaskOwner;
  readonly #observers: Observers;
  readonly #runs: RunLine;
  readonly #wrapped = new WeakMap<object, AnyFn>();
  readonly #batches = new Map<Batch<unknown, unknown>, BatchStore>();

  constructor(dispatcher: Dispatcher, observers: Observers) {
    this.#dispatcher = dispatcher;
    this.#observers = observers;
    this.#owner = {
      position: (rank, id) => dispatcher.scheduler.position(rank, id),
      cancel: (source, index, told) =>
        dispatcher.cancel(
          source as Segment,
          index,
          1,
          new SkyError("SKY_TASK_CANCELLED", `${source.bind.name}: the task was cancelled`, {
            details: { task: `t${source.first + index}` },
            cause: told,
          }),
          told,
        ),
    };
    this.#runs = new RunLine(dispatcher, this.#owner, observers);
  }

  /** Batches that failed and were never looked at. */
  get unobservedBatches(): Iterable<Batch<unknown, unknown>> {
    return this.#batches.keys();
  }

  /** Ends batches whose items are still being pulled. */
  close(reason: SkyError): void {
    for (const store of this.#batches.values()) if (store.total === undefined) store.close(reason);
  }

  /** A batch that has failed before it began. */
  refusedBatch(error: unknown): Batch<unknown> {
    return this.#batch(undefined, () => {
      throw error;
    });
  }

  /** Captures functions as a dispatch would. @throws SkyError SKY_CAPTURE_*, SKY_VALUE_* */
  capture(functions: readonly unknown[]): readonly Code[] {
    const codes = functions.map((given) => {
      const made = this.#fn(given);
      return this.#dispatcher.bind(made, optionsOf(made()), undefined).code;
    });
    return [...new Set(codes)];
  }

  run(pending: Pending<unknown>, target: number, signal: AbortSignal | undefined): Task<unknown> {
    try {
      this.#check(signal);
      if (!isPending(pending)) throw notACall("pool.run", pending);
      return this.#runs.add(pending, target, signal);
    } catch (error) {
      return this.refused(error);
    }
  }

  /** A task that has failed before it was queued. */
  refused(error: unknown): Task<unknown> {
    const task = new Task<unknown>(this.#owner, REFUSED, 0, this.#observers);
    task.settle(true, error);
    return task;
  }

  group(group: Group<readonly unknown[]>, target: number, signal: AbortSignal | undefined): Batch<unknown> {
    return this.#batch(signal, (store) => {
      if (!isGroup(group)) throw notACall("pool.run", group);
      this.#pendings(store, membersOf(group), () => target);
      store.close();
    });
  }

  broadcast(pending: Pending<unknown>, ranks: readonly number[], signal: AbortSignal | undefined): Batch<unknown> {
    const collect: Collect<unknown[]> = (store) => {
      if (store.failures === 0) return store.all();
      throw new BroadcastError(
        store
          .all()
          .map((result, node) =>
            result instanceof Failure
              ? { node: ranks[node] ?? node, status: "rejected", error: result.error }
              : { node: ranks[node] ?? node, status: "fulfilled", value: result },
          ),
      );
    };
    return this.#batch(
      signal,
      (store) => {
        if (!isPending(pending)) throw notACall("pool.broadcast", pending);
        this.#pendings(
          store,
          ranks.map(() => pending),
          (index) => ranks[index]!,
        );
        store.close();
      },
      collect,
    );
  }

  map(given: unknown, items: unknown, single: boolean, target: number, { signal }: CallOptions): Batch<unknown> {
    return this.#batch(signal, (store) => {
      const made = this.#fn(given);
      const list = asArray(items);
      if (list) this.#mapList(store, made, list, single, target);
      else if (isIterable(items)) {
        const bind = this.#dispatcher.bind(made, optionsOf(made()), undefined);
        bind.segments++; // as long as items may come
        void pull(
          items,
          store,
          (values) => this.#mapPulled(store, made, bind, values, single, target),
          () => this.#dispatcher.window(),
        ).finally(() => bind.segments--);
      } else
        throw new SkyError(
          "SKY_BAD_CALL",
          `${single ? "pool.map" : "pool.starmap"} takes a list or an iterable of items; got ${items === null ? "null" : typeof items}`,
        );
    });
  }

  /** Makes a batch; what goes wrong while it is filled is what it fails with. */
  #batch<All>(
    signal: AbortSignal | undefined,
    fill: (store: BatchStore) => void,
    collect?: Collect<All>,
  ): Batch<unknown, All> {
    const store = new BatchStore();
    const batch = new Batch<unknown, All>(
      store,
      this.#owner,
      this.#observers,
      (segment, reason, told) => this.#dispatcher.cancel(segment, 0, segment.count, reason, told),
      collect,
    );
    try {
      this.#check(signal);
      fill(store);
    } catch (error) {
      store.close(error);
    }
    const open = batch as Batch<unknown, unknown>;
    this.#batches.set(open, store);
    const abort = (): void => batch.cancel(signal?.reason);
    signal?.addEventListener("abort", abort, { once: true });
    // A batch stays in the list until it has ended, and, if it failed, until somebody has looked.
    const forget = (): void => {
      if (store.complete && store.streaming === 0 && (!store.failure || !batch.unobserved)) this.#batches.delete(open);
    };
    store.onEnded = (): void => {
      if (!store.complete || store.streaming > 0) return;
      signal?.removeEventListener("abort", abort);
      forget();
    };
    batch.onObserved = forget;
    store.onEnded();
    return batch;
  }

  #check(signal: AbortSignal | undefined): void {
    if (this.#dispatcher.closed) throw this.#dispatcher.closed;
    if (signal?.aborted)
      throw new SkyError("SKY_TASK_CANCELLED", "the call's signal had been aborted before", { cause: signal.reason });
  }

  #fn(given: unknown): AnyFn {
    if (isFn(given)) return given;
    if (typeof given !== "function") throw notACall("pool.map", given);
    let made = this.#wrapped.get(given);
    if (!made) this.#wrapped.set(given, (made = fn(given as (...args: unknown[]) => unknown) as unknown as AnyFn));
    return made;
  }

  /** One segment for each run of pendings with the same function, options and target. */
  #pendings(store: BatchStore, pendings: readonly Pending<unknown>[], targetOf: (index: number) => number): void {
    const sharing = new Sharing(pendings.map(argsOf), this.#dispatcher.values);
    for (let from = 0; from < pendings.length;) {
      const first = pendings[from]!;
      let to = from + 1;
      while (
        to < pendings.length &&
        fnOf(pendings[to]!) === fnOf(first) &&
        optionsOf(pendings[to]!) === optionsOf(first) &&
        targetOf(to) === targetOf(from)
      )
        to++;
      const values = pendings.slice(from, to).map(argsOf);
      this.#fill(store, fnOf(first), optionsOf(first), false, targetOf(from), values, { sharing });
      from = to;
    }
  }

  #mapList(store: BatchStore, made: AnyFn, items: readonly unknown[], single: boolean, target: number): void {
    if (items.length === 0) return store.close();
    if (single && items.every(isSmall)) {
      const segment = this.#segment(store, made, optionsOf(made()), true, target, items, { small: true });
      store.add(segment, items.length);
      segment.sealed = true;
      const first = Math.min(FIRST_ITEMS, items.length);
      this.#dispatcher.enqueue(segment, 0, first);
      this.#dispatcher.flush();
      if (first < items.length) this.#dispatcher.enqueue(segment, first, items.length - first);
    } else {
      const sharing = new Sharing(items, this.#dispatcher.values);
      this.#fill(store, made, optionsOf(made()), single, target, items, { sharing });
    }
    store.close();
  }

  #mapPulled(
    store: BatchStore,
    made: AnyFn,
    held: Bind,
    values: readonly unknown[],
    single: boolean,
    target: number,
  ): void {
    if (this.#dispatcher.closed) throw this.#dispatcher.closed;
    this.#fill(store, made, optionsOf(made()), single, target, values, { held });
  }

  #segment(
    store: BatchStore,
    made: AnyFn,
    options: ResolvedOptions,
    single: boolean,
    target: number,
    values: readonly unknown[],
    { small = false, sharing, held }: HowDispatched = {},
  ): Segment {
    const bind = this.#dispatcher.bind(made, options ?? NO_OPTIONS, small ? undefined : values, held);
    const queueTimeoutMs = options.queueTimeoutMs ?? 0;
    const queue = this.#dispatcher.openQueue(target, queueTimeoutMs === 0);
    return this.#dispatcher.segment(
      {
        sink: store,
        bind,
        queue,
        target,
        ownsQueue: true,
        single,
        queueTimeoutMs,
        capacity: values.length,
        ...(small ? { items: values.slice() } : {}),
        ...(sharing ? { sharing } : {}),
      },
      values.length,
    );
  }

  /** Encodes arguments into a segment and queues them. Arguments that can't travel fail their own task only. */
  #fill(
    store: BatchStore,
    made: AnyFn,
    options: ResolvedOptions,
    single: boolean,
    target: number,
    given: readonly unknown[],
    more: HowDispatched = {},
  ): void {
    const { values, sources } = sourcesOfAll(given, single);
    const segment = this.#segment(store, made, options, single, target, values, more);
    store.add(segment, values.length);
    const refused: [number, unknown][] = [];
    let queuedTo = 0;
    const queueTo = (end: number): void => {
      for (let from = queuedTo; from < end;) {
        const bad = refused.find(([index]) => index >= from)?.[0] ?? end;
        const to = Math.min(bad, end);
        if (to > from) this.#dispatcher.enqueue(segment, from, to - from);
        from = to + 1;
      }
      queuedTo = end;
    };
    for (const [index, value] of values.entries()) {
      try {
        if (!segment.single && !Array.isArray(value))
          throw new SkyError(
            "SKY_BAD_CALL",
            `pool.starmap takes lists of arguments; item ${index} is ${value === null ? "null" : typeof value}`,
          );
        segment.add(value, sources?.get(index));
      } catch (error) {
        segment.addNothing();
        refused.push([index, error]);
      }
      if (index + 1 === FIRST_ITEMS) {
        queueTo(FIRST_ITEMS);
        this.#dispatcher.flush();
      }
    }
    segment.sealed = true;
    queueTo(values.length);
    for (const [index, error] of refused) this.#dispatcher.refuse(segment, index, error);
  }
}

function isSmall(item: unknown): boolean {
  return (
    typeof item === "number" ||
    (typeof item === "string" && item.length <= SHORT_TEXT) ||
    item === undefined ||
    item === null ||
    typeof item === "boolean"
  );
}

function asArray(items: unknown): readonly unknown[] | undefined {
  if (Array.isArray(items)) return items;
  return ArrayBuffer.isView(items) && !(items instanceof DataView)
    ? Array.from(items as unknown as ArrayLike<unknown>)
    : undefined;
}

function isIterable(items: unknown): items is Iterable<unknown> | AsyncIterable<unknown> {
  return typeof items === "object" && items !== null && (Symbol.asyncIterator in items || Symbol.iterator in items);
}

function notACall(method: string, given: unknown): SkyError {
  if (isFn(given))
    return new SkyError("SKY_BAD_CALL", `${method} takes a call; it got the function ${given.name} itself`, {
      hint: `Call it: ${method}(${given.name}(...)).`,
    });
  const what =
    typeof given === "function"
      ? `the plain function ${given.name || "without a name"}`
      : given instanceof Promise
        ? "a promise: the function has run here already"
        : given === null
          ? "null"
          : typeof given;
  return new SkyError("SKY_BAD_CALL", `${method} takes what calling a sky.fn function returned; it got ${what}`);
}
