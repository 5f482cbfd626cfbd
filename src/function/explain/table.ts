/** One column of a table; numbers and sizes stand at the right. */
export interface Column {
  readonly title: string;
  readonly right?: boolean;
}

export interface TableOptions {
  /** Put before each line. @default "" */
  readonly indent?: string;
  /** Paints the line of titles. */
  readonly head?: (text: string) => string;
}

/** Lines of a table: columns as wide as they must be, two spaces between them, nothing after the last word. */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  { indent = "", head = (text) => text }: TableOptions = {},
): string[] {
  const clean = rows.map((row) => row.map(oneLine));
  const widths = columns.map(({ title }, index) =>
    Math.max(widthOf(title), ...clean.map((row) => widthOf(row[index] ?? ""))),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, index) => pad(cell, widths[index]!, columns[index]!.right === true))
      .join("  ")
      .trimEnd();
  return [indent + head(line(columns.map((column) => column.title))), ...clean.map((row) => indent + line(row))];
}

/** Names come from files, and a file may have any name. */
function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029]/gu, "?");
}

function pad(text: string, width: number, right: boolean): string {
  const blank = " ".repeat(Math.max(0, width - widthOf(text)));
  return right ? blank + text : text + blank;
}

/** Letters, not UTF-16 units; wide scripts take two columns. */
function widthOf(text: string): number {
  let width = 0;
  for (const letter of text) {
    if (/\p{Mn}/u.test(letter)) continue;
    width += /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}]/u.test(
      letter,
    )
      ? 2
      : 1;
  }
  return width;
}
