import type { Writable } from "node:stream";
import type { LoggedLine } from "./node-logs.ts";

/** What waits for a reader that is slower than the lines. */
const WAITING_MAX_BYTES = 4 * 1024 * 1024;

/** Sends lines to one who reads them; what a slow reader misses is counted, and told. */
export class LogReader {
  readonly #to: Writable;
  readonly #node: number | undefined;
  #missed = 0;

  constructor(to: Writable, node: number | undefined) {
    this.#to = to;
    this.#node = node;
  }

  take(line: LoggedLine): void {
    if (this.#node !== undefined && line.node !== this.#node) return;
    if (this.#to.writableLength > WAITING_MAX_BYTES) {
      this.#missed++;
      return;
    }
    if (this.#missed > 0) {
      const words = `${this.#missed} lines are left out: they came faster than they were read`;
      this.#missed = 0;
      this.#write({ at: line.at, stream: "event", line: words });
    }
    this.#write(line);
  }

  #write(line: LoggedLine): void {
    this.#to.write(`${JSON.stringify(line)}\n`);
  }
}
