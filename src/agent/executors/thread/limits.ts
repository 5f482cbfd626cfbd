import type { Chunk } from "./chunk.ts";
import type { Thread } from "./thread.ts";

/** Bodies that a thread was told to give up. */
interface GivenUp {
  /** The last one, which is named if the thread has to go. */
  id: number;
  since: number;
  /** The thread was asked whether its loop answers. */
  asked: boolean;
}

/** A thread that does not answer a ping in this time is blocked. */
const ANSWER_MS = 100;

export interface LimitActions {
  /** The run limit of a task has passed. */
  expired(thread: Thread, chunk: Chunk, item: number, limitMs: number): void;
  /** The thread does not come back by itself: end it. */
  terminate(thread: Thread, culprit: number): void;
  /** The thread answers, but a body that was given up goes on: no new work for it. */
  retire(thread: Thread, culprit: number): void;
}

/**
 * Finds tasks that run too long, with one timer for all of them, and climbs the ladder for those that were told to stop:
 * after the grace a thread whose loop answers is replaced and ends with its other tasks, any other is terminated.
 */
export class Limits {
  readonly #threads: ReadonlySet<Thread>;
  readonly #limitOf: (bind: number) => number;
  readonly #graceMs: number;
  readonly #actions: LimitActions;
  readonly #given = new Map<Thread, GivenUp>();
  #timer: NodeJS.Timeout | undefined;
  #everyMs = 250;

  constructor(threads: ReadonlySet<Thread>, limitOf: (bind: number) => number, graceMs: number, actions: LimitActions) {
    this.#threads = threads;
    this.#limitOf = limitOf;
    this.#graceMs = graceMs;
    this.#actions = actions;
  }

  /** Tasks with this limit are about to run. */
  watch(limitMs: number): void {
    const everyMs = Math.min(250, Math.max(5, limitMs / 20));
    if (this.#timer && everyMs >= this.#everyMs) return;
    clearInterval(this.#timer);
    this.#everyMs = everyMs;
    this.#timer = setInterval(this.#look, everyMs);
  }

  gaveUp(thread: Thread, id: number): void {
    const known = this.#given.get(thread);
    if (known && !known.asked) known.id = id;
    else this.#given.set(thread, { id, since: performance.now(), asked: false });
    this.watch(this.#graceMs);
  }

  dispose(): void {
    clearInterval(this.#timer);
  }

  #look = (): void => {
    const now = performance.timeOrigin + performance.now();
    let busy = this.#given.size > 0;
    for (const thread of this.#threads) {
      if (thread.open === 0) continue;
      busy = true;
      for (let slot = 0; slot < thread.share.slots; slot++) {
        const chunk = thread.chunks.get(thread.share.wordOf(slot));
        if (!chunk) continue;
        const limitMs = this.#limitOf(chunk.work.bind);
        const item = thread.share.itemOf(slot);
        if (limitMs > 0 && now - thread.share.startOf(slot) > limitMs && item < chunk.count && !chunk.isDone(item))
          this.#actions.expired(thread, chunk, item, limitMs);
      }
    }
    this.#climb();
    if (!busy) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      this.#everyMs = 250;
    }
  };

  #climb(): void {
    const now = performance.now();
    for (const [thread, given] of this.#given) {
      if (!this.#threads.has(thread)) this.#given.delete(thread);
      else if (now - given.since < this.#graceMs) continue;
      else if (!given.asked) {
        given.asked = true;
        thread.pingId++;
        thread.pinged = now;
        thread.post({ type: "ping", id: thread.pingId });
      } else if (thread.pinged === 0) {
        this.#given.delete(thread);
        // It answered, so the stop message before the ping has been handled too: what still runs does so against it.
        if (thread.share.abandoned > 0) this.#actions.retire(thread, given.id);
      } else if (now - thread.pinged > ANSWER_MS) {
        this.#given.delete(thread);
        this.#actions.terminate(thread, given.id);
      }
    }
  }
}
