import type { Inlet } from "../../../wire/stream/inlet.ts";

/** An argument that streams, as a body gets it: elements come when they are asked for, once. */
export class ArgumentStream implements AsyncIterableIterator<unknown> {
  readonly #inlet: Inlet;

  constructor(inlet: Inlet) {
    this.#inlet = inlet;
  }

  next(): Promise<IteratorResult<unknown, undefined>> {
    return this.#inlet.next();
  }

  async return(): Promise<IteratorResult<unknown, undefined>> {
    // Its source may be long at it: the body has no need to wait.
    void this.#inlet.leave();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** @throws TypeError always: at home it may have been read so */
  [Symbol.iterator](): never {
    throw new TypeError("an argument that streams is read with `for await`");
  }

  get [Symbol.toStringTag](): string {
    return "Stream";
  }
}
