import { expect, test } from "vitest";
import { mapFrames } from "./stack.ts";

const find = (place: string, line: number, column: number) =>
  place === "src/a b.js" ? { file: "/home/a b.ts", line: line + 101, column: column + 1 } : undefined;

test("frames of the tree lead home, and what called them there is left out", () => {
  const stack = [
    "TypeError: x is not a function",
    "  at this text, which is no frame /run/tree/0/src/a b.js:1:1",
    "    at inner (/run/sky 1/tree/0/src/a b.js:2:3)",
    "    at Array.map (<anonymous>)",
    "    at async file:///run/tree/12/src/a%20b.js:4:5",
    "    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)",
    "    at async runTask (/run/agent.js:100:1) {",
    "  code: 'X'",
    "}",
  ].join("\n");
  expect(mapFrames(stack, find).split("\n")).toEqual([
    "TypeError: x is not a function",
    "  at this text, which is no frame /run/tree/0/src/a b.js:1:1",
    "    at inner (/home/a b.ts:102:3)",
    "    at Array.map (<anonymous>)",
    "    at async /home/a b.ts:104:5",
    "  code: 'X'",
    "}",
  ]);
});

test("a stack without the user's frames stays as it is", () => {
  const stack = "Error: x\n    at run (/run/agent.js:1:1)";
  expect(mapFrames(stack, find)).toBe(stack);
});
