import fc from "fast-check";
import { expect, it } from "vitest";
import { beginMark, MarkedOutput } from "./marked-output.ts";

const SECRET = "\0abcdef:";

it("lines belong to the task that began last, wherever the stream was cut", () => {
  const text = fc.array(fc.string({ unit: fc.constantFrom("a", "\0", "b", ":", "é", " ") }), { maxLength: 4 });
  const tasks = fc.array(fc.record({ id: fc.nat(99), shown: fc.boolean(), lines: text }), { maxLength: 6 });
  fc.assert(
    fc.property(tasks, fc.array(fc.nat()), (all, cuts) => {
      const got: [number, string][] = [];
      const output = new MarkedOutput(SECRET, (task, line) => got.push([task, line]));
      const bytes = Buffer.from(
        all
          .map(({ id, shown, lines }) => beginMark(SECRET, id, shown) + lines.map((line) => `${line}\n`).join(""))
          .join(""),
      );
      const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
      for (const [index, end] of places.slice(1).entries()) output.push(bytes.subarray(places[index], end));
      output.end();
      expect(got).toEqual(all.flatMap(({ id, shown, lines }) => (shown ? lines.map((line) => [id, line]) : [])));
    }),
  );
});

it("an unfinished line is its task's, and the tail is the newest task's", () => {
  const got: [number, string][] = [];
  const output = new MarkedOutput(SECRET, (task, line) => got.push([task, line]));
  output.push(Buffer.from(`before${beginMark(SECRET, 1, true)}one${beginMark(SECRET, 2, true)}two\nlast`));
  expect(output.tail.toString()).toBe("two\nlast");
  output.end();
  expect(got).toEqual([
    [-1, "before"],
    [1, "one"],
    [2, "two"],
    [2, "last"],
  ]);
});
