import { readFileSync } from "node:fs";
import { join } from "node:path";
import { sourcesBelow } from "./sources.ts";

const MOST_LINES = 400;
const LEFT_UNDONE = /\b(TODO|FIXME|XXX|HACK)\b/;
/** `any` itself is found by the linter, so what has to be found here is how to get around it and the compiler. */
const UNTYPED = /@ts-(ignore|nocheck)|lint-disable.*no-explicit-any/;

/** Files of src that hold too much, are left undone, or step around the types. */
export function sourceFaults(root: string): string[] {
  const source = join(root, "src");
  return sourcesBelow(source).flatMap((file) => {
    const lines = readFileSync(join(source, file), "utf8").split("\n");
    const faults = lines.flatMap((line, index) =>
      LEFT_UNDONE.test(line) || UNTYPED.test(line) ? [`src/${file}:${index + 1}: ${line.trim()}`] : [],
    );
    const count = lines.length - 1;
    if (count > MOST_LINES) faults.push(`src/${file} has ${count} lines; at most ${MOST_LINES}`);
    return faults;
  });
}

/** Lines of the files of src: the largest, and what nine in ten stay below. */
export function sizeSummary(root: string): { files: number; p90: number; largest: number } {
  const source = join(root, "src");
  const counts = sourcesBelow(source)
    .map((file) => readFileSync(join(source, file), "utf8").split("\n").length - 1)
    .sort((a, b) => a - b);
  return { files: counts.length, p90: counts[Math.floor(counts.length * 0.9)] ?? 0, largest: counts.at(-1) ?? 0 };
}
