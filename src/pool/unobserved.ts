import { SkyError } from "../errors/sky-error.ts";
import type { Batch } from "./batch.ts";
import { messageOf } from "./message-of.ts";
import type { Observers, Task } from "./task.ts";

const KEPT = 100;

/** Failures of tasks that nobody has awaited. */
export class Unobserved implements Observers {
  readonly #tasks = new Set<Task<unknown>>();
  #more = 0;

  unobserved(task: Task<unknown>): void {
    if (this.#tasks.size < KEPT) this.#tasks.add(task);
    else this.#more++;
  }

  observed(task: Task<unknown>): void {
    this.#tasks.delete(task);
  }

  /** A line for each failure that nobody has looked at, those of batches too. */
  *report(batches: Iterable<Batch<unknown, unknown>>): Iterable<string> {
    for (const task of this.#tasks) {
      if (!isClosed(task.failure)) yield `${task.name} (${task.id}): ${messageOf(task.failure)}`;
    }
    if (this.#more > 0) yield `${this.#more} more tasks`;
    for (const batch of batches) {
      const { count, first } = batch.unobserved ?? {};
      if (count && !isClosed(first)) yield `${count} tasks of a batch, the first with: ${messageOf(first)}`;
    }
  }
}

/** The caller's own doing. */
function isClosed(error: unknown): boolean {
  return error instanceof SkyError && (error.code === "SKY_POOL_CLOSED" || error.code === "SKY_TASK_CANCELLED");
}
