import fc from "fast-check";
import { expect, test } from "vitest";
import { changedTree, type Thing, treeChange } from "./tree.ts";

const trees = fc
  .dictionary(fc.constantFrom("a", "b", "b/c", "d", "e", "é", "f", "g"), fc.constantFrom("1", "2", ">x"))
  .map((record): Thing[] => Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));

test("a tree comes back from any other and the change between them", () => {
  fc.assert(
    fc.property(trees, trees, (before, after) => {
      const change = treeChange(before, after);
      expect(changedTree(before, change)).toEqual(after);
      expect(change.added.length).toBeLessThanOrEqual(after.length);
    }),
  );
});

test("what is the same is not in the change, and neighbours go together", () => {
  const before: Thing[] = Array.from({ length: 100 }, (_, n) => [String(n).padStart(3, "0"), "1"]);
  const after: Thing[] = [...before.slice(0, 10), ["011", "2"], ...before.slice(60)];
  expect(treeChange(before, after)).toEqual({
    added: [["011", "2"]],
    gone: [
      [10, 1],
      [12, 48],
    ],
  });
});

test("ranges that are not there are refused", () => {
  for (const gone of [
    [[0, 2]],
    [[-1, 1]],
    [[0, -1]],
    [
      [0, 1],
      [0, 1],
    ],
    [[Number.NaN, 1]],
  ] as [number, number][][])
    expect(() => changedTree([["a", "1"]], { added: [], gone })).toThrow(/never had/);
});
