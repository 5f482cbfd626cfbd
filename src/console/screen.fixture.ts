import type { ConsoleStream } from "./stream.ts";

/** A stream in memory that remembers each write and shows what a terminal would: enough escapes for a status row. */
export class Screen implements ConsoleStream {
  readonly isTTY: boolean;
  readonly columns: number;
  readonly rows = 24;
  readonly writes: string[] = [];
  column = 0;
  readonly #rows: string[] = [""];
  #row = 0;
  #target: Screen | undefined;

  constructor(isTTY: boolean, columns: number) {
    this.isTTY = isTTY;
    this.columns = columns;
  }

  /** From now on what is written here shows on `screen`: two streams on one terminal. */
  mirror(screen: Screen): void {
    this.#target = screen;
  }

  write(text: string): boolean {
    this.writes.push(text);
    const screen = this.#target ?? this;
    screen.#show(text);
    return true;
  }

  get text(): string {
    return this.writes.join("");
  }

  get lines(): string[] {
    return this.text.split("\n").slice(0, -1);
  }

  /** The rows that a person sees, without trailing empty ones and colours. */
  visible(): string[] {
    const last = this.#rows.findLastIndex((row) => row !== "");
    return this.#rows.slice(0, last + 1);
  }

  #show(text: string): void {
    for (const part of text.match(/\x1b\[[?0-9;]*[A-Za-z]|\n|\r|[^\x1b\n\r]+/g) ?? []) {
      if (part === "\n") {
        this.#row++;
        this.column = 0;
        this.#rows[this.#row] ??= "";
      } else if (part === "\r") this.column = 0;
      else if (part === "\x1b[2K") this.#rows[this.#row] = "";
      else if (part === "\x1b[1A") this.#row--;
      else if (!part.startsWith("\x1b")) {
        const row = this.#rows[this.#row] ?? "";
        this.#rows[this.#row] =
          row.slice(0, this.column).padEnd(this.column) + part + row.slice(this.column + part.length);
        this.column += part.length;
      } else if (!/^\x1b\[(\?(7|2026)[lh]|[0-9;]*m)$/.test(part))
        throw new Error(`unknown escape ${JSON.stringify(part)}`);
    }
  }
}
