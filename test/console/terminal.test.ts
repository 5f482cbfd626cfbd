import { join } from "node:path";
import { expect, test } from "vitest";
import { Terminal } from "../support/terminal.ts";

const root = join(import.meta.dirname, "../..");
const program = (ms: number): string =>
  `cd '${root}' && '${process.execPath}' --conditions=skyward:source --import tsx test/console/programs/live.ts ${ms}`;
const nodeRows = (rows: readonly string[]): string[] => rows.filter((row) => /^node \d/.test(row));

test("on a terminal each node has a line, below what is logged, and nothing of it is left in the end", async () => {
  await using terminal = await Terminal.open(program(4000));
  const coming = await terminal.until(
    (rows) => rows.some((row) => row.includes("looking around")) && nodeRows(rows).length === 3,
  );
  expect(coming.at(-1)).toMatch(/^nodes 0\/3 · /);
  const busy = await terminal.until((rows) => nodeRows(rows).every((row) => / cpu .* mem .*\d done$/.test(row)));
  expect(nodeRows(busy)[1]).toMatch(
    /^node 1 {2}ready +\d+ s {2}local-1 {2}slots █{8} 4\/4 {2}cpu [█░]{8} +\d+% {2}mem [█░]{8} +\d+% {2}[\d,]+ done$/,
  );
  expect(busy.at(-1)).toMatch(/^nodes 3\/3 · slots 12\/12 · \d+ done, \d+ running, \d+ queued · [\d.]+\/s · .* left$/);
  await terminal.until((rows) => rows.some((row) => /node \d {3}nap \d+ is over/.test(row)));

  // Narrower, and the rows that were drawn for the wider one are gone.
  await terminal.resize(60, 20);
  const narrow = await terminal.until((rows) => nodeRows(rows).length === 3 && rows.at(-1)!.startsWith("nodes 3/3"));
  expect(narrow.slice(-4).every((row) => row.length < 60)).toBe(true);
  await terminal.resize(110, 24);

  const ended = await terminal.until((rows) => rows.some((row) => row.startsWith("[ended 0]")));
  expect(nodeRows(ended)).toEqual([]);
  expect(ended.some((row) => /pool {5}240 tasks in /.test(row))).toBe(true);
  const all = await terminal.all();
  expect(nodeRows(all)).toEqual([]);
});

test("a program that is killed leaves a terminal that works", async () => {
  await using terminal = await Terminal.open(`${program(60_000)} & sleep 4; kill -9 $!; wait $!`);
  await terminal.until((rows) => rows.some((row) => row.startsWith("[ended ")) && /^[$#]$/.test(rows.at(-1)!));
  await terminal.keys("echo", "Space", "x".repeat(150), "Enter");
  // It wraps long lines, and shows what is typed.
  await terminal.until((rows) => rows.some((row) => row === "x".repeat(110)) && rows.includes("x".repeat(40)));
});

test("a second Ctrl-C takes the rows away at once", async () => {
  await using terminal = await Terminal.open(`trap : INT; ${program(60_000)}`);
  await terminal.until((rows) => nodeRows(rows).length === 3);
  await terminal.keys("C-c", "C-c");
  const ended = await terminal.until((rows) => rows.some((row) => row.startsWith("[ended ")));
  expect(nodeRows(ended)).toEqual([]);
  expect(ended.some((row) => row.startsWith("[ended 130]"))).toBe(true);
  expect((await terminal.all()).some((row) => /^nodes \d/.test(row))).toBe(false);
});
