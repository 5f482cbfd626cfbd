import type { EventsDropped, SkyEvent } from "./event.ts";

interface Queue {
  readonly items: { readonly order: number; readonly event: SkyEvent }[];
  head: number;
}

/** What goes first when a reader is slow: samples and lines, then news of single tasks, then the life of nodes and pools. */
function classOf(event: SkyEvent): 0 | 1 | 2 {
  const type = event.type;
  if (type === "Log.Emitted" || type === "Metric.Sampled" || type === "Node.Bootstrap.Output") return 0;
  return type.startsWith("Task") ? 1 : 2;
}

/**
 * A first-in first-out buffer of at most `limit` events. When it is full the oldest event of the least worth makes
 * room, and an `Events.Dropped` marker before the next event that is read says so.
 */
export class EventBuffer {
  readonly #limit: number;
  readonly #queues: readonly [Queue, Queue, Queue] = [newQueue(), newQueue(), newQueue()];
  #size = 0;
  #order = 0;
  #dropped: { pool: string; at: number; count: number; byType: Record<string, number> } | undefined;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get isEmpty(): boolean {
    return this.#size === 0 && this.#dropped === undefined;
  }

  push(event: SkyEvent): void {
    const rank = classOf(event);
    if (this.#size >= this.#limit && !this.#makeRoom(rank)) {
      this.#count(event);
      return;
    }
    this.#queues[rank].items.push({ order: this.#order++, event });
    this.#size++;
  }

  shift(): SkyEvent | undefined {
    if (this.#dropped !== undefined) {
      const marker: EventsDropped = { type: "Events.Dropped", ...this.#dropped };
      this.#dropped = undefined;
      return marker;
    }
    let first: Queue | undefined;
    for (const queue of this.#queues) {
      if (orderOf(queue) < orderOf(first)) first = queue;
    }
    return first === undefined ? undefined : this.#take(first);
  }

  /** Drops the oldest event that is worth no more than one of class `rank`; false when all are worth more. */
  #makeRoom(rank: number): boolean {
    for (const [worth, queue] of this.#queues.entries()) {
      if (worth > rank) return false;
      const event = this.#take(queue);
      if (event === undefined) continue;
      this.#count(event);
      return true;
    }
    return false;
  }

  #take(queue: Queue): SkyEvent | undefined {
    const item = queue.items[queue.head];
    if (item === undefined) return undefined;
    queue.head++;
    this.#size--;
    // Cut off what was read only now and then, so that reading stays cheap however long the queue is.
    if (queue.head > 64 && queue.head * 2 > queue.items.length) {
      queue.items.splice(0, queue.head);
      queue.head = 0;
    }
    return item.event;
  }

  #count(event: SkyEvent): void {
    this.#dropped ??= { pool: event.pool, at: event.at, count: 0, byType: {} };
    this.#dropped.count++;
    this.#dropped.byType[event.type] = (this.#dropped.byType[event.type] ?? 0) + 1;
  }
}

function newQueue(): Queue {
  return { items: [], head: 0 };
}

function orderOf(queue: Queue | undefined): number {
  return queue?.items[queue.head]?.order ?? Infinity;
}
