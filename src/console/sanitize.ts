export interface SanitizeOptions {
  /** Whether SGR sequences (colours, bold, ...) stay. @default false */
  readonly colors?: boolean;
}

// One alternative per form, tried in this order; whatever is matched goes, complete SGR sequences apart. Every control
// character is matched by one of them, so none is left however the text is put together. Each class excludes the
// characters that could begin another match, which keeps the work linear in the length of the text.
const ESCAPES = new RegExp(
  [
    // OSC (titles, links, clipboard) up to BEL or ST; DCS, SOS, PM and APC strings up to ST
    String.raw`(?:\x1b\]|\x9d)[^\x07\x1b\x80-\x9f]*(?:\x07|\x1b\\|\x9c)`,
    String.raw`(?:\x1b[PX^_]|[\x90\x98\x9e\x9f])[^\x1b\x80-\x9f]*(?:\x1b\\|\x9c)`,
    // CSI: cursor, erase, modes, and SGR
    String.raw`(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]`,
    // Two-character and charset sequences
    String.raw`\x1b[ -/]*[0-~]`,
    // What is left of C0 and C1, and the marks that turn the direction of text
    String.raw`[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]`,
    String.raw`[\u2028\u2029]`,
  ].join("|"),
  "g",
);
const SUSPECT = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/;
const SGR = /^\x1b\[[0-9;:]{0,32}m$/;
const RESET = "\x1b[0m";

/**
 * Makes remote text safe for a terminal or a file: no escape survives but SGR colours (when asked for, and reset at
 * the end of each line that used them), no control character but tab and newline. A carriage return overwrites: of
 * each line only what was written last stays.
 */
export function sanitize(text: string, options: SanitizeOptions = {}): string {
  if (!SUSPECT.test(text)) return text;
  return text
    .split("\n")
    .map((line) => sanitizeLine(line, options.colors ?? false))
    .join("\n");
}

function sanitizeLine(line: string, colors: boolean): string {
  let colored = false;
  const clean = lastWritten(line).replace(ESCAPES, (match) => {
    if (match === "\u2028" || match === "\u2029") return " ";
    if (!colors || !SGR.test(match)) return "";
    colored = true;
    return match;
  });
  return colored && !clean.endsWith(RESET) ? clean + RESET : clean;
}

/** What a terminal would show last of a line that rewinds itself with carriage returns. */
function lastWritten(line: string): string {
  let end = line.length;
  while (line[end - 1] === "\r") end--;
  return line.slice(line.lastIndexOf("\r", end - 1) + 1, end);
}
