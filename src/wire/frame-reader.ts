import { SkyError } from "../errors/sky-error.ts";

export interface FrameView {
  buf: Buffer;
  start: number;
  end: number;
}

/** Cuts a byte stream into frames; copies only what straddles two arrivals. */
export class FrameReader {
  readonly #maxBytes: number;
  readonly #view: FrameView = { buf: Buffer.alloc(0), start: 0, end: 0 };
  #data: Buffer = Buffer.alloc(0);
  #at = 0;
  #parts: Buffer[] = [];
  #partBytes = 0;
  #wanted = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  push(data: Buffer): void {
    if (this.#parts.length === 0) {
      this.#data = data;
      this.#at = 0;
      return;
    }
    this.#parts.push(data);
    this.#partBytes += data.length;
    if (this.#partBytes >= this.#wanted) this.#join();
  }

  /** The next whole frame, without its length; valid until the next call. */
  next(): FrameView | undefined {
    if (this.#parts.length > 0) return undefined;
    const left = this.#data.length - this.#at;
    if (left < 4) return this.#keep(left, 4);
    const length = this.#data.readUInt32LE(this.#at);
    if (length < 4 || length > this.#maxBytes) {
      throw new SkyError("SKY_WIRE_MALFORMED", `a frame of ${length} bytes; 4 to ${this.#maxBytes} are allowed`);
    }
    if (left < 4 + length) return this.#keep(left, 4 + length);
    this.#view.buf = this.#data;
    this.#view.start = this.#at + 4;
    this.#at += 4 + length;
    this.#view.end = this.#at;
    return this.#view;
  }

  #keep(left: number, wanted: number): undefined {
    if (left > 0) {
      this.#parts = [this.#data.subarray(this.#at)];
      this.#partBytes = left;
      this.#wanted = wanted;
    }
    this.#data = Buffer.alloc(0);
    this.#at = 0;
    return undefined;
  }

  #join(): void {
    this.#data = Buffer.concat(this.#parts, this.#partBytes);
    this.#at = 0;
    this.#parts = [];
    this.#partBytes = 0;
  }
}
