import type { Place } from "../capture/source-map.ts";

/** The user's place for a position (counted from 0) in a file of the tree. */
export type PlaceFinder = (place: string, line: number, column: number) => Place | undefined;

const FRAME = /^( {4}at .*?\(?)((?:file:\/\/)?\/.*?\/tree\/\d+\/(.+?)):(\d+):(\d+)(\)?)$/;

/**
 * A stack from a node as it would look at home: frames in emitted files lead to the user's lines, and what called them
 * there, our agent and Node, is left out.
 */
export function mapFrames(stack: string, find: PlaceFinder): string {
  let lastOfUser = -1;
  const lines = stack.split("\n").map((line, index) => {
    const frame = FRAME.exec(line);
    if (frame === null) return line;
    const [, head, url, place, row, column, tail] = frame;
    const found = find(url!.startsWith("file:") ? decodeURI(place!) : place!, Number(row) - 1, Number(column) - 1);
    lastOfUser = index;
    return found === undefined ? line : `${head}${found.file}:${found.line}:${found.column}${tail}`;
  });
  if (lastOfUser < 0) return stack;
  return lines.filter((line, index) => index <= lastOfUser || !/^ {4}at /.test(line)).join("\n");
}
