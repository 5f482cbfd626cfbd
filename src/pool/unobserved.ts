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

  get count(): number {
    return this.#tasks.size + this.#more;
  }

  get tasks(): Iterable<Task<unknown>> {
    return this.#tasks;
  }
}
