import fc from "fast-check";
import { afterEach, describe, expect, expectTypeOf, it } from "vitest";
import { setInstanceInfo } from "./instance-info.ts";
import { facts } from "./facts.fixture.ts";
import { permutation } from "./random.ts";
import { shard } from "./shard.ts";

const at = (node: number, totalNodes: number) => ({ node, totalNodes });

afterEach(() => setInstanceInfo(undefined));

describe("shard", () => {
  it("gives each node its own items, and all of them together everything", () => {
    const rows = fc.array(fc.integer(), { maxLength: 200 });
    fc.assert(
      fc.property(
        rows,
        fc.integer({ min: 1, max: 20 }),
        fc.boolean(),
        fc.maxSafeInteger(),
        (data, totalNodes, shuffle, seed) => {
          const indices = data.map((_, i) => i);
          const parts = Array.from({ length: totalNodes }, (_, node) =>
            shard(indices, { shuffle, seed, node, totalNodes }),
          );
          expect(parts.flat().toSorted((a, b) => a - b)).toEqual(indices);
          const sizes = parts.map((part) => part.length);
          expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
        },
      ),
    );
  });

  it("gives equally many, disjoint items with dropLast, and drops fewer than there are nodes", () => {
    fc.assert(
      fc.property(fc.nat(200), fc.integer({ min: 1, max: 20 }), fc.boolean(), (length, totalNodes, shuffle) => {
        const data = Array.from({ length }, (_, i) => i);
        const parts = Array.from({ length: totalNodes }, (_, node) =>
          shard(data, { shuffle, dropLast: true, node, totalNodes }),
        );
        expect(new Set(parts.map((part) => part.length))).toEqual(new Set([Math.floor(length / totalNodes)]));
        expect(new Set(parts.flat()).size).toBe(Math.floor(length / totalNodes) * totalNodes);
      }),
    );
  });

  it("keeps several inputs aligned, whatever they are", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 60 }),
        fc.boolean(),
        fc.boolean(),
        fc.integer(),
        (digits, shuffle, dropLast, seed) => {
          const options = { shuffle, dropLast, seed, node: 1, totalNodes: 3 };
          const [list, typed, text] = shard(digits, Uint8Array.from(digits), digits.join(""), options);
          expect([...typed]).toEqual(list);
          expect(text).toBe(list.join(""));
          expect(shard(digits, options)).toEqual(list);
        },
      ),
    );
  });

  it("deals like cards, in blocks with dropLast, as the Python API does", () => {
    const ten = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
    expect(shard(ten, at(1, 4))).toEqual([1, 5, 9]);
    expect(shard(ten, { ...at(1, 4), dropLast: true })).toEqual([2, 3]);
    expect(shard([1], at(3, 4))).toEqual([]);
    expect(shard([], at(0, 4))).toEqual([]);
  });

  it("shuffles the same way everywhere, for ever", () => {
    expect([...permutation(10, 42)]).toEqual([6, 8, 2, 3, 7, 0, 5, 9, 1, 4]);
    expect([...permutation(10, -1)]).not.toEqual([...permutation(10, 1)]);
    expect([...permutation(10, 2 ** 40)]).not.toEqual([...permutation(10, 0)]);
    expect(shard([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], { shuffle: true, seed: 42, ...at(0, 3) })).toEqual([6, 3, 5, 4]);
  });

  it("shuffles evenly", () => {
    const seen = Array.from({ length: 4 }, () => [0, 0, 0, 0]);
    for (let seed = 0; seed < 8000; seed++) {
      for (const [place, item] of permutation(4, seed).entries()) seen[place]![item]!++;
    }
    for (const count of seen.flat()) expect(Math.abs(count - 2000)).toBeLessThan(200);
  });

  it("keeps the kind of its input, and copies", () => {
    for (const Kind of [
      Int8Array,
      Uint8Array,
      Uint8ClampedArray,
      Int16Array,
      Uint16Array,
      Int32Array,
      Uint32Array,
      Float32Array,
      Float64Array,
    ]) {
      const part = shard(Kind.from([1, 2, 3]), at(0, 2));
      expect(part).toBeInstanceOf(Kind);
      expect([...part]).toEqual([1, 3]);
    }
    expect(shard(BigInt64Array.of(1n, 2n), at(1, 2))).toEqual(BigInt64Array.of(2n));
    const buffer = Buffer.from("abcd");
    const part = shard(buffer, { ...at(0, 2), dropLast: true });
    expect(Buffer.isBuffer(part)).toBe(true);
    part[0] = 0;
    expect(buffer.toString()).toBe("abcd");
    expect(shard("a😀b", at(0, 2))).toBe("ab");
    expect(shard({ length: 3, 0: "x", 1: "y", 2: "z" }, at(0, 2))).toEqual(["x", "z"]);
    class Column {
      readonly length = 3;
      [index: number]: string;
      0 = "x";
      2 = "z";
    }
    expect(shard(new Column(), at(0, 2))).toEqual(["x", "z"]);
  });

  it("has the types of its inputs", () => {
    expectTypeOf(shard([1, 2], at(0, 1))).toEqualTypeOf<number[]>();
    expectTypeOf(shard(["a"] as readonly string[], at(0, 1))).toEqualTypeOf<string[]>();
    expectTypeOf(shard([1, "a"] as [number, string], at(0, 1))).toEqualTypeOf<(number | string)[]>();
    expectTypeOf(shard(new Float32Array(1), at(0, 1))).toEqualTypeOf<Float32Array>();
    expectTypeOf(shard(Buffer.from("a"), at(0, 1))).toEqualTypeOf<Buffer>();
    expectTypeOf(shard("a", at(0, 1))).toEqualTypeOf<string>();
    expectTypeOf(shard([1], ["a"], at(0, 1))).toEqualTypeOf<[number[], string[]]>();
    const aligned = (): unknown => {
      const three = shard([1], new Uint8Array(1), "a");
      expectTypeOf(three).toEqualTypeOf<[number[], Uint8Array, string]>();
      return three;
    };
    expect(aligned).toThrow("outside a task");
    // @ts-expect-error a set has no indices
    expect(() => shard(new Set([1]), at(0, 1))).toThrow("is Set");
    // @ts-expect-error no such option
    expect(() => shard([1], { ...at(0, 1), shufle: true })).toThrow("shufle");
  });

  it("asks the pool where it is, and can be told instead", () => {
    expect(() => shard([1, 2])).toThrow(expect.objectContaining({ code: "SKY_NOT_IN_TASK" }));
    setInstanceInfo(facts({ node: 1, totalNodes: 2 }));
    expect(shard([1, 2, 3, 4])).toEqual([2, 4]);
    expect(shard([1, 2, 3, 4], { node: 0 })).toEqual([1, 3]);
    expect(shard([1, 2, 3, 4], ["a", "b", "c", "d"], undefined)).toEqual([
      [2, 4],
      ["b", "d"],
    ]);
  });

  it.each([
    ["different lengths", () => shard([1], [1, 2], at(0, 1)), "different lengths: 1, 2"],
    ["an unknown option", () => shard([1], { ...at(0, 1), dropLats: true } as object), 'did you mean "dropLast"'],
    ["a node that is not there", () => shard([1], at(2, 2)), "from 0 to 1"],
    ["no nodes", () => shard([1], at(0, 0)), "at least 1"],
    ["a broken seed", () => shard([1], { ...at(0, 1), seed: 1.5 }), "whole number"],
    ["a broken flag", () => shard([1], { ...at(0, 1), shuffle: "yes" as never }), "true or false"],
    ["what has no length", () => shard(new Map() as never, at(0, 1)), "Input 0 of sky.shard is Map"],
    ["null", () => shard(null as never, at(0, 1)), "is null"],
  ])("refuses %s", (_name, call, message) => {
    expect(call).toThrow(
      expect.objectContaining({ code: "SKY_BAD_OPTION", message: expect.stringContaining(message) }),
    );
  });
});
