import { expect, it } from "vitest";
import { Mode } from "../../wire/ops.ts";
import type { Work } from "./chunk.ts";
import { Waiting } from "./waiting.ts";

/** Items of one byte each, which is the id. */
const work = (first: number, count: number): Work => ({
  bind: 1,
  mode: Mode.ITEM,
  attempt: 1,
  first,
  count,
  body: Uint8Array.from(Array.from({ length: count }, (_, i) => [1, first + i]).flat()),
});
const ids = (works: readonly Work[]): number[] =>
  works.flatMap(({ first, count, body }) => {
    const found = Array.from({ length: count }, (_, i) => body[2 * i + 1]!);
    expect(found).toEqual(Array.from({ length: count }, (_, i) => first + i));
    return found;
  });

it("gives work from the front, takes it back from the end, and takes ranges out", () => {
  const waiting = new Waiting();
  waiting.push(work(1, 4));
  waiting.push(work(5, 3));
  expect(ids([waiting.shift()!])).toEqual([1]);
  expect(ids(waiting.cut(4))).toEqual([4, 5, 6, 7]);
  waiting.push(work(8, 4));
  expect(ids(waiting.remove(3, 7))).toEqual([3, 8, 9]);
  expect(ids(waiting.drain())).toEqual([2, 10, 11]);
  expect(waiting.size).toBe(0);
  expect(waiting.shift()).toBeUndefined();
});
