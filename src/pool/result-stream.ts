import type { Stream } from "../function/stream.ts";
import type { Inlet } from "../wire/stream/inlet.ts";

/** A stream that nobody holds any more is one that nobody will read. */
const forgotten = new FinalizationRegistry<Inlet>((inlet) => void inlet.leave());

/** The stream of a task's result, as the caller gets it. */
export class ResultStream<T> implements Stream<T> {
  readonly #inlet: Inlet;

  /** @internal */
  constructor(inlet: Inlet) {
    this.#inlet = inlet;
    forgotten.register(this, inlet, this);
  }

  next(): Promise<IteratorResult<T, void>> {
    return this.#inlet.next() as Promise<IteratorResult<T, void>>;
  }

  async return(): Promise<IteratorResult<T, void>> {
    forgotten.unregister(this);
    await this.#inlet.leave();
    const { ending } = this.#inlet;
    // What failed in the generator's `finally`.
    if (ending?.threw) throw ending.error;
    return { done: true, value: undefined };
  }

  async throw(error: unknown): Promise<IteratorResult<T, void>> {
    await this.return();
    throw error;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  [Symbol.asyncIterator](): AsyncIterator<T, void, undefined> {
    return this;
  }

  get [Symbol.toStringTag](): string {
    return "Stream";
  }
}
