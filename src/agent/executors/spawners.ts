import { endStrays } from "./end-strays.ts";

/** Tasks that are remembered; the oldest have most likely ended. */
const MOST = 4096;

/** Ends the processes that stopped tasks have started: what still runs a grace after the task was told to stop. */
export class Spawners {
  readonly #graceMs: number;
  readonly #marks = new Map<number, string>();
  readonly #stopped = new Set<NodeJS.Timeout>();

  constructor(graceMs: number) {
    this.#graceMs = graceMs;
  }

  add(id: number, mark: string): void {
    this.#marks.set(id, mark);
    if (this.#marks.size > MOST) this.#marks.delete(this.#marks.keys().next().value!);
  }

  stopped(id: number): void {
    const mark = this.#marks.get(id);
    if (mark === undefined) return;
    this.#marks.delete(id);
    const timer = setTimeout(() => {
      this.#stopped.delete(timer);
      void endStrays(mark);
    }, this.#graceMs);
    this.#stopped.add(timer);
  }

  dispose(): void {
    for (const timer of this.#stopped) clearTimeout(timer);
  }
}
