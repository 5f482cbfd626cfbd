import type { TaskContext } from "../../../task/context.ts";

/** One running item: what `sky.task()` shows of it. Made for every task, so everything costly is made when asked for. */
export class TaskRun implements TaskContext {
  readonly number: number;
  readonly attempt: number;
  readonly slot: number;
  /** Its chunk's claim word. */
  readonly word: number;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly #report: (id: number, done: number, of: number) => void;
  #abort: AbortController | undefined;
  /** It has started a process. */
  spawned = false;
  /** Why the host gave the task up; its outcome is no longer wanted. */
  stopped: "cancelled" | "timeout" | undefined;
  /** What its signal has fired with, or does when it is asked for. */
  #told: unknown;

  constructor(
    number: number,
    attempt: number,
    slot: number,
    word: number,
    stdout: boolean,
    stderr: boolean,
    report: (id: number, done: number, of: number) => void,
  ) {
    this.number = number;
    this.attempt = attempt;
    this.slot = slot;
    this.word = word;
    this.stdout = stdout;
    this.stderr = stderr;
    this.#report = report;
  }

  get id(): string {
    return `t${this.number}`;
  }

  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    if (this.#told !== undefined) this.#abort.abort(this.#told);
    return this.#abort.signal;
  }

  /** Usable without its object: `const { progress } = sky.task()`. */
  get progress(): (done: number, of?: number) => void {
    return (done, of) => this.#report(this.number, done, of ?? Number.NaN);
  }

  /** @param told what its signal fires with */
  stop(reason: "cancelled" | "timeout", told: unknown): void {
    this.stopped = reason;
    this.#tell(told);
  }

  /** Nobody reads its stream any more; its generator is about to be ended. */
  leave(): void {
    this.#tell(new DOMException("nobody reads the task's stream any more", "AbortError"));
  }

  #tell(told: unknown): void {
    this.#told ??= told;
    this.#abort?.abort(this.#told);
  }
}
