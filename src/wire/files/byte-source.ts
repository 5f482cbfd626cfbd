const LINE_MAX_BYTES = 64 * 1024 * 1024;
const ENDED = "the other side ended";

/** The next bytes at once, which hold until the next call; none at the end. */
export type ReadNow = () => Buffer;

/** A stream, or what can be read without waiting for a turn, by lines and by counts of bytes, one call after the other. */
export class ByteSource {
  readonly #chunks: AsyncIterator<Buffer> | undefined;
  readonly #now: ReadNow | undefined;
  #held: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Buffer> | ReadNow) {
    if (typeof source === "function") this.#now = source;
    else this.#chunks = source[Symbol.asyncIterator]();
  }

  /** The next line, without its end. @throws Error where the stream ends before */
  async line(): Promise<string> {
    const parts: Buffer[] = [];
    let length = 0;
    for (;;) {
      const end = this.#held.indexOf(10);
      if (end >= 0) {
        parts.push(this.#held.subarray(0, end));
        this.#held = this.#held.subarray(end + 1);
        return Buffer.concat(parts).toString();
      }
      parts.push(Buffer.from(this.#held));
      length += this.#held.length;
      if (length > LINE_MAX_BYTES) throw new Error("a line is too long");
      this.#held = await this.#more();
    }
  }

  /** The next `count` bytes, as they come. @throws Error where the stream ends before */
  async *bytes(count: number): AsyncGenerator<Buffer, void, undefined> {
    for (let left = count; left > 0;) {
      if (this.#held.length === 0) this.#held = await this.#more();
      const piece = this.#held.subarray(0, left);
      this.#held = this.#held.subarray(piece.length);
      left -= piece.length;
      yield piece;
    }
  }

  /** Hands the next `count` bytes on as they come. @throws Error where the source ends before */
  async pour(count: number, put: (chunk: Buffer) => void | Promise<void>): Promise<void> {
    if (this.#now === undefined) {
      for await (const piece of this.bytes(count)) await put(piece);
      return;
    }
    for (let left = count; left > 0;) {
      if (this.#held.length === 0) this.#held = this.#next(this.#now);
      const piece = this.#held.subarray(0, left);
      this.#held = this.#held.subarray(piece.length);
      left -= piece.length;
      const waiting = put(piece);
      if (waiting !== undefined) await waiting;
    }
  }

  async #more(): Promise<Buffer> {
    if (this.#now !== undefined) return this.#next(this.#now);
    const next = await this.#chunks!.next();
    if (next.done === true) throw new Error(ENDED);
    return next.value;
  }

  #next(now: ReadNow): Buffer {
    const chunk = now();
    if (chunk.length === 0) throw new Error(ENDED);
    return chunk;
  }
}
