const NEWLINE = 10;

/** Cuts a byte stream into lines, and holds no more than `limit` bytes of an unfinished one. */
export class Lines {
  readonly #limit: number;
  #parts: Buffer[] = [];
  #held = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The whole lines that this chunk ends, without their newline. `undefined`: a line is longer than the limit. */
  push(chunk: Buffer): string[] | undefined {
    const lines: string[] = [];
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      if (!this.#hold(chunk.subarray(start, end))) return undefined;
      lines.push(this.#take());
      start = end + 1;
    }
    return this.#hold(chunk.subarray(start)) ? lines : undefined;
  }

  #take(): string {
    const text = this.#parts.length === 1 ? this.#parts[0]!.toString() : Buffer.concat(this.#parts).toString();
    this.#parts = [];
    this.#held = 0;
    return text;
  }

  #hold(part: Buffer): boolean {
    if (part.length === 0) return true;
    this.#held += part.length;
    this.#parts.push(part);
    return this.#held <= this.#limit;
  }
}
