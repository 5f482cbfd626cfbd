import { PrintedLines } from "../../printed-lines.ts";
import { Tail } from "../../tail.ts";

/** Told of each line with the task that began last before it; -1 for none. */
export type EmitLine = (task: number, line: string) => void;

/** Written into a stream of a process, before all that the task itself writes there. */
export function beginMark(secret: string, task: number, shown: boolean): string {
  return `${secret}${shown ? task : -2 - task}\n`;
}

const NEWLINE = 10;

/** Reads what a process wrote to one of its descriptors, and finds in it which task each line belongs to. */
export class MarkedOutput {
  readonly #secret: Buffer;
  /** The last of what the newest task wrote. */
  readonly tail = new Tail();
  readonly #lines: PrintedLines;
  #held = Buffer.alloc(0);
  /** Below -1: a task whose lines are not wanted. */
  #task = -1;

  constructor(secret: string, emit: EmitLine) {
    this.#secret = Buffer.from(secret);
    this.#lines = new PrintedLines((line) => {
      if (this.#task >= -1) emit(this.#task, line);
    });
  }

  push(chunk: Buffer): void {
    const bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    let at = 0;
    for (;;) {
      const mark = bytes.indexOf(this.#secret, at);
      if (mark < 0) break;
      const end = bytes.indexOf(NEWLINE, mark);
      this.#print(bytes.subarray(at, mark));
      at = mark;
      if (end < 0) break;
      this.#lines.end();
      this.tail.clear();
      this.#task = Number(bytes.toString("latin1", mark + this.#secret.length, end));
      at = end + 1;
    }
    const rest = bytes.subarray(at);
    const whole = rest.indexOf(this.#secret) === 0 ? 0 : rest.length - this.#beginnings(rest);
    this.#print(rest.subarray(0, whole));
    this.#held = Buffer.from(rest.subarray(whole));
  }

  /** The process is gone. */
  end(): void {
    this.#print(this.#held);
    this.#held = Buffer.alloc(0);
    this.#lines.end();
  }

  /** Length of the longest end of `bytes` that may be the beginning of a mark. */
  #beginnings(bytes: Buffer): number {
    for (let length = Math.min(bytes.length, this.#secret.length - 1); length > 0; length--)
      if (bytes.subarray(bytes.length - length).equals(this.#secret.subarray(0, length))) return length;
    return 0;
  }

  #print(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.tail.push(bytes);
    this.#lines.push(bytes);
  }
}
