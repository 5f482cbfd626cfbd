import { StringDecoder } from "node:string_decoder";

/** Characters of a line that are held; a longer one is cut in pieces. */
export const MAX_LINE = 65_536;
const REWRITE_EVERY_MS = 1000;

/** Takes a line. `overwrite` says that the program has rewound it: the next line stands in its place. */
export type TakeLine = (text: string, overwrite: boolean) => void;

/**
 * Turns what a program writes into lines. A carriage return rewinds, as on a terminal: what was overwritten is shown
 * at most once a second, so that a progress bar is seen to move and does not flood.
 */
export class LineBuffer {
  readonly #take: TakeLine;
  #held = "";
  #decoder: StringDecoder | undefined;
  #rewritten = Number.NEGATIVE_INFINITY;

  constructor(take: TakeLine) {
    this.#take = take;
  }

  push(chunk: string | Uint8Array): void {
    const text =
      typeof chunk === "string"
        ? chunk
        : (this.#decoder ??= new StringDecoder("utf8")).write(
            Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength),
          );
    let start = 0;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", start)) {
      const line = this.#held + text.slice(start, end);
      this.#held = "";
      start = end + 1;
      this.#end(line);
    }
    if (start < text.length) this.#hold(start === 0 ? text : text.slice(start));
  }

  /** Gives the unfinished line away. */
  flush(): void {
    const line = this.#held + (this.#decoder?.end() ?? "");
    this.#held = "";
    if (line !== "") this.#end(line);
  }

  #hold(text: string): void {
    const rewinds = text.includes("\r") || this.#held.endsWith("\r");
    this.#held += text;
    // A return at the very end has overwritten nothing yet: a newline may follow it.
    const rewound = rewinds ? this.#held.lastIndexOf("\r", this.#held.length - 2) : -1;
    if (rewound >= 0) {
      const shown = lastWritten(this.#held.slice(0, rewound));
      this.#held = this.#held.slice(rewound + 1);
      const now = performance.now();
      if (shown !== "" && now - this.#rewritten >= REWRITE_EVERY_MS) {
        this.#rewritten = now;
        this.#take(shown.slice(0, MAX_LINE), true);
      }
    }
    while (this.#held.length > MAX_LINE) {
      const cut = pieceEnd(this.#held);
      this.#take(this.#held.slice(0, cut), false);
      this.#held = this.#held.slice(cut);
    }
  }

  #end(line: string): void {
    let rest = line.includes("\r") ? lastWritten(line) : line;
    while (rest.length > MAX_LINE) {
      const cut = pieceEnd(rest);
      this.#take(rest.slice(0, cut), false);
      rest = rest.slice(cut);
    }
    this.#take(rest, false);
  }
}

function lastWritten(line: string): string {
  let end = line.length;
  while (line[end - 1] === "\r") end--;
  return line.slice(line.lastIndexOf("\r", end - 1) + 1, end);
}

/** Where a long line is cut: never between the halves of one character. */
function pieceEnd(line: string): number {
  const last = line.charCodeAt(MAX_LINE - 1);
  return last >= 0xd800 && last <= 0xdbff ? MAX_LINE - 1 : MAX_LINE;
}
