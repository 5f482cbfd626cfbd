import { beforeDeath } from "../pool/exit.ts";
import type { ConsoleStream } from "./stream.ts";

const AREAS = new WeakMap<ConsoleStream, LiveArea>();
/** The terminal's own wrapping is off meanwhile: a glyph that is wider than thought can't break the row in two. */
const HIDE_WRAP = "\x1b[?7l";
const SHOW_WRAP = "\x1b[?7h";
/** A terminal that knows these shows nothing of what is between them until the end. */
const BEGIN = "\x1b[?2026h";
const END = "\x1b[?2026l";
const ERASE_LINE = "\r\x1b[2K";
const ERASE_LINE_ABOVE = "\x1b[1A\x1b[2K";

type Write = ConsoleStream["write"];

/**
 * The last rows of a terminal, one per console that shows its state there. Everything else that the program writes to
 * the terminal goes above them: the writes of the guarded streams are intercepted while there is a row, and the rows
 * stay away while a line is unfinished.
 */
export class LiveArea {
  readonly #stream: ConsoleStream;
  readonly #rows = new Map<object, readonly string[]>();
  readonly #guarded: readonly ConsoleStream[];
  /** Streams whose `write` is ours now, and how to give it back; false when somebody has wrapped ours. */
  readonly #guards = new Map<ConsoleStream, () => boolean>();
  readonly #clear = (): void => this.#put(this.#erased());
  #write: Write | undefined;
  /** Widths of the rows that stand on the terminal, in columns. */
  #shown: readonly number[] = [];
  #midLine = false;

  private constructor(stream: ConsoleStream, guarded: readonly ConsoleStream[]) {
    this.#stream = stream;
    this.#guarded = [...new Set([stream, ...guarded])];
  }

  /** The area of a terminal; consoles on the same stream share it. */
  static of(stream: ConsoleStream, guarded: readonly ConsoleStream[]): LiveArea {
    const known = AREAS.get(stream);
    if (known !== undefined) return known;
    const area = new LiveArea(stream, guarded);
    AREAS.set(stream, area);
    return area;
  }

  /** Shows `rows` as those of `owner`, in place of its last ones. */
  set(owner: object, rows: readonly string[]): void {
    const before = this.#rows.get(owner);
    if (before?.length === rows.length && before.every((row, index) => row === rows[index])) return;
    if (this.#rows.size === 0) this.#intercept();
    this.#rows.set(owner, rows);
    if (!this.#midLine) this.#put(this.#erased() + this.#drawn());
  }

  /** Of the terminal, as it is now. */
  get size(): { readonly columns: number; readonly rows: number } {
    return { columns: this.#stream.columns || 80, rows: this.#stream.rows || 24 };
  }

  /** Takes the row of `owner` away. With the last one the terminal is as it would be without us. */
  remove(owner: object): void {
    if (!this.#rows.delete(owner)) return;
    if (!this.#midLine) this.#put(this.#erased() + this.#drawn());
    if (this.#rows.size === 0) this.#release();
  }

  /** Writes whole lines above the rows, in one write. */
  print(lines: string): void {
    const before = this.#midLine ? "\n" : this.#erased();
    this.#midLine = false;
    this.#put(before + lines + this.#drawn());
  }

  #put(text: string): void {
    if (text === "") return;
    if (text.includes("\x1b[2K") || text.includes(HIDE_WRAP)) text = BEGIN + text + END;
    if (this.#write === undefined) this.#stream.write(text);
    else this.#write(text);
  }

  #erased(): string {
    if (this.#shown.length === 0) return "";
    // A terminal that became narrower has broken the rows anew.
    const { columns } = this.size;
    const lines = this.#shown.reduce((sum, width) => sum + Math.max(1, Math.ceil(width / columns)), 0);
    this.#shown = [];
    return ERASE_LINE + ERASE_LINE_ABOVE.repeat(lines - 1);
  }

  #drawn(): string {
    if (this.#rows.size === 0) return "";
    const width = Math.max(1, this.size.columns - 1);
    const rows = [...this.#rows.values()].flat().map((row) => fit(row, width));
    this.#shown = rows.map((row) => row.columns);
    return HIDE_WRAP + rows.map((row) => row.text).join("\n") + SHOW_WRAP;
  }

  #intercept(): void {
    process.once("exit", this.#clear);
    beforeDeath.add(this.#clear);
    this.#write ??= this.#stream.write.bind(this.#stream);
    for (const stream of this.#guarded) {
      if (!this.#guards.has(stream)) this.#guards.set(stream, this.#guard(stream));
    }
  }

  #release(): void {
    process.removeListener("exit", this.#clear);
    beforeDeath.delete(this.#clear);
    for (const [stream, restore] of this.#guards) {
      if (restore()) this.#guards.delete(stream);
    }
    if (!this.#guards.has(this.#stream)) this.#write = undefined;
  }

  #guard(stream: ConsoleStream): () => boolean {
    const own = Object.getOwnPropertyDescriptor(stream, "write");
    const write: (this: void, text: string, ...rest: unknown[]) => unknown = stream.write.bind(stream);
    const guarded = (text: string, ...rest: unknown[]): unknown => {
      this.#clear();
      const result = write(text, ...rest);
      this.#midLine = this.#rows.size > 0 && endsMidLine(text, this.#midLine);
      if (!this.#midLine) this.#put(this.#drawn());
      return result;
    };
    stream.write = guarded;
    return () => {
      // Somebody may have put a wrapper of their own around ours: then ours stays, and with no rows only passes on.
      if (stream.write !== guarded) return false;
      if (own === undefined) Reflect.deleteProperty(stream, "write");
      else Object.defineProperty(stream, "write", own);
      return true;
    };
  }
}

/**
 * Cuts `text` to `width` columns. Colours take none; what is neither ASCII nor one of our own signs counts as two, which
 * is never too little.
 */
function fit(text: string, width: number): { text: string; columns: number } {
  let columns = 0;
  let cut = "";
  for (const [part] of text.matchAll(/\x1b\[[\d;]*m|[^]/gu)) {
    const wide = part.startsWith("\x1b") ? 0 : (part.length === 1 && part <= "~") || /[·…░█]/.test(part) ? 1 : 2;
    // What is behind may still end a colour.
    if (columns + wide > width) return { text: `${cut}${text.includes("\x1b") ? "\x1b[0m" : ""}`, columns };
    columns += wide;
    cut += part;
  }
  return { text: cut, columns };
}

function endsMidLine(chunk: unknown, before: boolean): boolean {
  if (typeof chunk === "string") return chunk === "" ? before : !chunk.endsWith("\n");
  if (chunk instanceof Uint8Array) return chunk.length === 0 ? before : chunk.at(-1) !== 10;
  return before;
}
