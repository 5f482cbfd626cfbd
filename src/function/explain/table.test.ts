import { expect, test } from "vitest";
import { sizeText } from "./size.ts";
import { table } from "./table.ts";

test("columns are as wide as their widest cell, numbers stand at the right, lines end with their last word", () => {
  const rows = [
    ["zod", "859.1 kB", ""],
    ["a-long-name", "9 B", "because"],
  ];
  expect(table([{ title: "NAME" }, { title: "SIZE", right: true }, { title: "WHY" }], rows, { indent: "  " })).toEqual([
    "  NAME             SIZE  WHY",
    "  zod          859.1 kB",
    "  a-long-name       9 B  because",
  ]);
});

test("letters that take two columns are counted so, and what would move the cursor is shown as a mark", () => {
  expect(
    table(
      [{ title: "A" }, { title: "B" }],
      [
        ["模型", "x"],
        ["\u001b[2Jab", "y"],
        ["e\u0301", "z"],
      ],
    ),
  ).toEqual(["A       B", "模型    x", "?[2Jab  y", "e\u0301       z"]);
});

test.each([
  [0, "0 B"],
  [999, "999 B"],
  [1000, "1.0 kB"],
  [999_949, "999.9 kB"],
  [999_950, "1.0 MB"],
  [23_400_000, "23.4 MB"],
])("%i bytes are %s", (bytes, text) => {
  expect(sizeText(bytes)).toBe(text);
});
