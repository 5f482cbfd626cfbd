import type { TaskProgress } from "../events/task-events.ts";
import { Throttle } from "./throttle.ts";

const AGAIN_AFTER_MS = 5_000;
const LINES_PER_SECOND = 10;
/** Tasks whose last line is remembered. */
const MOST_TASKS = 1_000;

/** Which of the reports that bodies make get a line: of each task the first, the last, and one every five seconds. */
export class ProgressLines {
  readonly #said = new Map<string, number>();
  readonly #throttle = new Throttle(LINES_PER_SECOND);

  /** Whether the report gets a line at `now` (ms). */
  allows({ pool, task, attempt, done, of }: TaskProgress, now: number): boolean {
    const key = `${pool} ${task} ${attempt}`;
    const isLast = done === of;
    if (!isLast && now - (this.#said.get(key) ?? Number.NEGATIVE_INFINITY) < AGAIN_AFTER_MS) return false;
    if (!this.#throttle.allows(now)) return false;
    this.#said.delete(key);
    if (isLast) return true;
    this.#said.set(key, now);
    if (this.#said.size > MOST_TASKS) this.#said.delete(this.#said.keys().next().value!);
    return true;
  }
}
