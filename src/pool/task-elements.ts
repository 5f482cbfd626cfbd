import { SkyError } from "../errors/sky-error.ts";
import type { Stream } from "../function/stream.ts";

/** What iterating a task needs of it. */
interface Streaming {
  readonly name: string;
  cancel(): void;
  // oxlint-disable-next-line unicorn/no-thenable -- a task is awaited
  then(onValue: (value: unknown) => void, onError: (error: unknown) => void): unknown;
}

/** Iterates the stream that a task gives, once that has begun. */
export class TaskElements implements AsyncIterator<unknown, void, undefined> {
  readonly #task: Streaming;
  #stream: Stream<unknown> | undefined;
  #first: Promise<Stream<unknown>> | undefined;

  constructor(task: Streaming) {
    this.#task = task;
  }

  next(): Promise<IteratorResult<unknown, void>> {
    return this.#stream ? this.#stream.next() : this.#begun().then((stream) => stream.next());
  }

  async return(): Promise<IteratorResult<unknown, void>> {
    if (this.#stream) return this.#stream.return();
    // Nobody has asked for an element: there is nothing to wait for.
    if (!this.#first) this.#task.cancel();
    else await (await this.#first).return();
    return { done: true, value: undefined };
  }

  #begun(): Promise<Stream<unknown>> {
    this.#first ??= new Promise((resolve, reject) => {
      this.#task.then((value) => {
        if (!isStream(value))
          return reject(new SkyError("SKY_BAD_CALL", `${this.#task.name} gives no stream: await its task.`));
        this.#stream = value;
        resolve(value);
      }, reject);
    });
    return this.#first;
  }
}

function isStream(value: unknown): value is Stream<unknown> {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value && Symbol.asyncDispose in value;
}
