import type { Readable } from "node:stream";

const LINE_MAX_BYTES = 64 * 1024 * 1024;

/** A stream read by lines and by counts of bytes, one call after the other. */
export class ByteSource {
  readonly #chunks: AsyncIterator<Buffer>;
  #held: Buffer = Buffer.alloc(0);

  constructor(stream: Readable) {
    this.#chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
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
      parts.push(this.#held);
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

  async #more(): Promise<Buffer> {
    const next = await this.#chunks.next();
    if (next.done === true) throw new Error("the other side ended");
    return next.value;
  }
}
