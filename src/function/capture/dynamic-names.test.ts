import { expect, test } from "vitest";
import { dynamicNamesIn } from "./dynamic-names.ts";
import { parse } from "./parser.ts";

const wordsIn = (text: string): string[] => dynamicNamesIn(parse(text, "cjs"), text).map(({ word }) => word);

test("a direct eval and with are found, in the order of the text", () => {
  expect(wordsIn("with (o) { f(() => eval('x')) }")).toEqual(["with", "eval"]);
});

test("what sees globals alone is none", () => {
  expect(wordsIn("(0, eval)('x'); eval?.('x'); globalThis.eval('x'); new Function('x')")).toEqual([]);
});
