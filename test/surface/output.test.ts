import { expect, test } from "vitest";
import { runProgram } from "../support/program.ts";

test("output of bodies", async () => {
  const { code, points, stderr, report } = await runProgram("test/surface/programs/output.ts");
  expect(points, report).toEqual([
    "stdout, stderr and console, with node and task",
    "slots that share a node are told apart, through awaits",
    "stdout: head, a predicate, silent",
    "redirectOutput takes the output to a callback",
    "lines printed just before a busy loop arrive",
    "lines printed just before the process dies arrive",
    "10,000 lines keep their order",
    "escapes of a body do not reach the terminal",
  ]);
  expect(code, report).toBe(0);

  // What the console made of it, where stderr is not a terminal: time, node, text; no escapes, neither ours nor theirs.
  const lines = stderr.split("\n").filter((line) => line !== "");
  expect(lines.filter((line) => !/^\d\d:\d\d:\d\d {2}(pool|node \d) +\S/.test(line))).toEqual([]);
  expect(stderr).not.toContain("\u001b");
  const shown = (text: string): string[] =>
    lines.filter((line) => line.endsWith(text)).map((line) => line.slice(10, 16));
  expect(shown("  by console.log { a: 1 }")).toEqual(["node 1"]);
  expect(shown("  by console.error")).toEqual(["node 1"]);
  expect(shown("  head 0")).toEqual(["node 0"]);
  expect(shown("  head 1")).toEqual([]);
  expect(shown("  coloured cleared")).toEqual(["node 1"]);
  expect(lines.filter((line) => line.includes("silent"))).toEqual([]);
});
