import type { Scheduler } from "../core/scheduler.ts";

/** Mean time of a task, by group: as measured, and as the scheduler knows it. */
export class Measures {
  readonly #scheduler: Scheduler;
  readonly #means = new Map<number, { readonly mean: number; readonly said: number }>();

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  add(group: number, itemMs: number): void {
    const before = this.#means.get(group);
    this.#set(group, before === undefined ? itemMs : before.mean * 0.7 + itemMs * 0.3);
  }

  /** A task that has not ended has run so long. */
  atLeast(group: number, ms: number): void {
    if (ms > (this.#means.get(group)?.mean ?? 0)) this.#set(group, ms);
  }

  #set(group: number, mean: number): void {
    const before = this.#means.get(group);
    // The scheduler is told of changes that matter only: it weighs all that runs anew.
    const said = before === undefined || Math.abs(mean - before.said) > before.said * 0.2 ? mean : before.said;
    this.#means.set(group, { mean, said });
    if (said !== before?.said) this.#scheduler.measured(group, said);
  }
}
