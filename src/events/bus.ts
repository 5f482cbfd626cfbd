import type { EventPrefix, EventsUnder, SkyEvent } from "./event.ts";
import { isUnder } from "./event.ts";
import { EventBuffer } from "./event-buffer.ts";

export interface EventFilter<P extends EventPrefix = EventPrefix> {
  /** Only events under these prefixes, such as `["Node", "Task.Failed"]`. @default every event */
  readonly only?: readonly P[];
}

export interface EventStreamOptions<P extends EventPrefix = EventPrefix> extends EventFilter<P> {
  /** Events kept for a slow reader before the least worthy are dropped. @default 4096 */
  readonly buffer?: number;
}

interface Subscriber {
  readonly only: readonly string[] | undefined;
  readonly listener: (event: SkyEvent) => void;
  readonly closed: (() => void) | undefined;
}

/**
 * The one feed of what happens. Every subscriber sees all events in the same order, also those emitted by a listener.
 * A listener that throws disturbs nobody: its error is thrown again on its own, as an uncaught one.
 */
export class EventBus implements AsyncIterable<SkyEvent> {
  readonly #subscribers = new Set<Subscriber>();
  readonly #wanted = new Map<string, boolean>();
  readonly #waiting: SkyEvent[] = [];
  readonly #hide: (<T>(value: T) => T) | undefined;
  #emitting = false;
  #closed = false;

  /** @param hide takes out of an event what nobody is to see */
  constructor(hide?: <T>(value: T) => T) {
    this.#hide = hide;
  }

  emit(event: SkyEvent): void {
    if (this.#closed || this.#subscribers.size === 0) return;
    this.#waiting.push(this.#hide === undefined ? event : this.#hide(event));
    if (this.#emitting) return;
    this.#emitting = true;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) this.#deliver(next);
    this.#emitting = false;
  }

  /**
   * Calls `listener` for each event from now on.
   * @returns a function that ends it; calling that again does nothing
   */
  subscribe<P extends EventPrefix = EventPrefix>(
    listener: (event: EventsUnder<P>) => void,
    filter: EventFilter<P> = {},
  ): () => void {
    return this.#add(listener as (event: SkyEvent) => void, filter.only, undefined);
  }

  /**
   * Whether somebody would get an event of this type, or one under this prefix. Ask it before making events that
   * come by the million; it is a look-up in a small map.
   */
  wants(prefix: EventPrefix): boolean {
    const known = this.#wanted.get(prefix);
    if (known !== undefined) return known;
    const wanted = [...this.#subscribers].some(
      ({ only }) => only === undefined || only.some((own) => isUnder(prefix, own) || isUnder(own, prefix)),
    );
    this.#wanted.set(prefix, wanted);
    return wanted;
  }

  /**
   * Events from the moment that iteration begins until the bus closes. Each iteration has a buffer of its own, and
   * leaving the loop ends it. A reader that is too slow finds `Events.Dropped` markers.
   */
  events<P extends EventPrefix = EventPrefix>(options: EventStreamOptions<P> = {}): AsyncIterable<EventsUnder<P>> {
    return { [Symbol.asyncIterator]: () => this.#iterate(options) as AsyncIterator<EventsUnder<P>> };
  }

  [Symbol.asyncIterator](): AsyncIterator<SkyEvent> {
    return this.#iterate({});
  }

  /** Ends every iteration, after what it has buffered, and every subscription. */
  close(): void {
    this.#closed = true;
    const ending = [...this.#subscribers];
    this.#subscribers.clear();
    this.#wanted.clear();
    for (const subscriber of ending) subscriber.closed?.();
  }

  #deliver(event: SkyEvent): void {
    for (const { only, listener } of this.#subscribers) {
      if (only !== undefined && !only.some((prefix) => isUnder(event.type, prefix))) continue;
      try {
        listener(event);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  #add(
    listener: (event: SkyEvent) => void,
    only: readonly string[] | undefined,
    closed: Subscriber["closed"],
  ): () => void {
    const subscriber: Subscriber = { only, listener, closed };
    if (!this.#closed) this.#subscribers.add(subscriber);
    this.#wanted.clear();
    return () => {
      if (this.#subscribers.delete(subscriber)) this.#wanted.clear();
    };
  }

  #iterate(options: EventStreamOptions): AsyncIterator<SkyEvent, undefined> {
    const buffer = new EventBuffer(options.buffer ?? 4096);
    const readers: ((result: IteratorResult<SkyEvent, undefined>) => void)[] = [];
    let ended = this.#closed;
    const end = (): void => {
      ended = true;
      for (const reader of readers.splice(0)) reader({ done: true, value: undefined });
    };
    const unsubscribe = this.#add(
      (event) => {
        const reader = readers.shift();
        if (reader === undefined) buffer.push(event);
        else reader({ done: false, value: event });
      },
      options.only,
      end,
    );
    return {
      next() {
        const value = buffer.shift();
        if (value !== undefined) return Promise.resolve({ done: false, value });
        if (ended) return Promise.resolve({ done: true, value: undefined });
        return new Promise((resolve) => readers.push(resolve));
      },
      return() {
        unsubscribe();
        end();
        while (buffer.shift() !== undefined);
        return Promise.resolve({ done: true, value: undefined });
      },
    };
  }
}
