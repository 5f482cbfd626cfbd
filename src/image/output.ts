/** Begins the script's own lines; the token behind it is new each time. */
export const MARK = "@skyward";

/** What the bootstrap says while it runs. */
export type BootstrapEvent =
  | { readonly type: "phase" | "skipped" | "done"; readonly phase: string }
  | { readonly type: "failed"; readonly phase: string; readonly code: number }
  | { readonly type: "command"; readonly command: string }
  /** `overwrites`: it takes the place of the line before, as a progress bar does. */
  | { readonly type: "line"; readonly line: string; readonly overwrites: boolean }
  | { readonly type: "variable"; readonly name: string; readonly value: string }
  /** uv, for "system/architecture". */
  | { readonly type: "need"; readonly system: string }
  | { readonly type: "waiting" | "end" };

const LINE_MAX = 4096;

/** Cuts what the machine prints into the script's own words and the lines of its commands. */
export class BootstrapOutput {
  readonly #mark: string;
  #rest = "";
  #overwrites = false;

  constructor(token: string) {
    this.#mark = `${MARK}:${token} `;
  }

  /** @param text as it came, cut anywhere */
  push(text: string): BootstrapEvent[] {
    const events: BootstrapEvent[] = [];
    this.#rest += text;
    for (;;) {
      const at = this.#rest.search(/[\r\n]/);
      if (at === -1) break;
      const end = this.#rest[at]!;
      // The next piece says whether this return is the first half of a line's end.
      if (end === "\r" && at + 1 === this.#rest.length) break;
      const line = this.#cut(this.#rest.slice(0, at), events);
      const crlf = end === "\r" && this.#rest[at + 1] === "\n";
      this.#rest = this.#rest.slice(at + (crlf ? 2 : 1));
      this.#line(line, end === "\r" && !crlf, events);
    }
    this.#rest = this.#cut(this.#rest, events);
    return events;
  }

  /** @returns the end of a line that is too long; our own lines are as long as they are */
  #cut(line: string, events: BootstrapEvent[]): string {
    if (line.startsWith(this.#mark)) return line;
    let at = 0;
    for (; line.length - at > LINE_MAX; at += LINE_MAX) this.#line(line.slice(at, at + LINE_MAX), false, events);
    return line.slice(at);
  }

  #line(line: string, returned: boolean, events: BootstrapEvent[]): void {
    if (line.startsWith(this.#mark)) {
      this.#overwrites = false;
      const event = eventOf(line.slice(this.#mark.length).split(" "));
      if (event !== undefined) events.push(event);
      return;
    }
    // The script's own lines begin with a line's end, which closes a command's last line or stands alone.
    if (line !== "") events.push({ type: "line", line, overwrites: this.#overwrites });
    this.#overwrites = returned && (line !== "" || this.#overwrites);
  }
}

function eventOf([word, first = "", second = ""]: readonly string[]): BootstrapEvent | undefined {
  switch (word) {
    case "phase":
    case "skipped":
    case "done":
      return { type: word, phase: first };
    case "failed":
      return { type: word, phase: first, code: Number(second) };
    case "command":
      return { type: word, command: decode(first) };
    case "variable":
      return { type: word, name: first, value: decode(second) };
    case "need":
      return { type: word, system: first };
    case "waiting":
    case "end":
      return { type: word };
    default:
      return undefined;
  }
}

function decode(text: string): string {
  return Buffer.from(text, "base64").toString();
}
