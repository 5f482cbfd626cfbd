/** The last bytes of a stream, as text. */
export class Tail {
  readonly #limit: number;
  #chunks: Buffer[] = [];
  #size = 0;

  /** @param limit bytes that are kept. @default 4096 */
  constructor(limit = 4096) {
    this.#limit = limit;
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    if (this.#size > 4 * this.#limit) {
      const kept = this.#bytes();
      this.#chunks = [kept];
      this.#size = kept.length;
    }
  }

  clear(): void {
    this.#chunks = [];
    this.#size = 0;
  }

  toString(): string {
    return this.#bytes().toString();
  }

  #bytes(): Buffer {
    const all = Buffer.concat(this.#chunks);
    return all.length > this.#limit ? Buffer.from(all.subarray(all.length - this.#limit)) : all;
  }
}
