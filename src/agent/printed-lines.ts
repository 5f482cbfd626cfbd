import { StringDecoder } from "node:string_decoder";

/** Splits printed bytes into lines for people: an endless line is cut in pieces, not held. */
export class PrintedLines {
  readonly #emit: (line: string) => void;
  readonly #limit: number;
  readonly #decoder = new StringDecoder("utf8");
  #held = "";

  /** @param limit characters of a line that are held. @default 65536 */
  constructor(emit: (line: string) => void, limit = 65_536) {
    this.#emit = emit;
    this.#limit = limit;
  }

  push(chunk: Buffer): void {
    const lines = (this.#held + this.#decoder.write(chunk)).split("\n");
    this.#held = lines.pop() ?? "";
    for (const line of lines) this.#emit(line);
    if (this.#held.length > this.#limit) this.end();
  }

  /** Emits the unfinished line. */
  end(): void {
    if (this.#held !== "") this.#emit(this.#held);
    this.#held = "";
  }
}
