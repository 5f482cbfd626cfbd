import { expect, test } from "vitest";
import { extraKeys } from "./extra-keys.ts";

test.each([3, 5000])("names that are no index are told of an array of %i items", (length) => {
  const array = Array.from({ length }, (_, index) => index);
  expect(extraKeys(array)).toEqual([]);
  expect(extraKeys(Object.assign([...array], { a: 1, "-1": 2 }))).toEqual(["a", "-1"]);
  expect(extraKeys(Object.assign(new Float64Array(length), { a: 1 }))).toEqual(["a"]);
  expect(extraKeys(new Float64Array(length))).toEqual([]);
});

test("a large array that has items alone is not listed", () => {
  const array = Array.from({ length: 1_000_000 }, (_, index) => index);
  const startedMs = performance.now();
  expect(extraKeys(array)).toEqual([]);
  expect(performance.now() - startedMs).toBeLessThan(30);
});

test("all properties of a Map are beside what it holds", () => {
  expect(extraKeys(Object.assign(new Map([["a", 1]]), { "0": 1 }))).toEqual(["0"]);
});
