import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Lines } from "./lines.ts";
import { PrintedLines } from "./printed-lines.ts";
import { Tail } from "./tail.ts";

/** The bytes of a text, cut at the given places. */
function cut(text: string, cuts: readonly number[]): Buffer[] {
  const bytes = Buffer.from(text);
  const places = [0, ...cuts.map((place) => place % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end));
}

describe("lines", () => {
  it("are the same wherever the stream was cut", () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: "grapheme" }).filter((line) => !line.includes("\n"))),
        fc.array(fc.nat()),
        (lines, cuts) => {
          const reader = new Lines(1024 * 1024);
          const chunks = cut(lines.map((line) => `${line}\n`).join(""), cuts);
          expect(chunks.flatMap((chunk) => reader.push(chunk) ?? ["too long"])).toEqual(lines);
        },
      ),
    );
  });

  it("have a limit, with and without their end", () => {
    expect(new Lines(4).push(Buffer.from("1234\n12345\n"))).toBeUndefined();
    const reader = new Lines(4);
    expect(reader.push(Buffer.from("1234"))).toEqual([]);
    expect(reader.push(Buffer.from("5"))).toBeUndefined();
  });
});

describe("printed lines", () => {
  it("lose nothing, whatever is printed and wherever it is cut", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "grapheme" }),
        fc.array(fc.nat()),
        fc.integer({ min: 1, max: 20 }),
        (text, cuts, limit) => {
          const lines: string[] = [];
          const printed = new PrintedLines((line) => lines.push(line), limit);
          for (const chunk of cut(text, cuts)) printed.push(chunk);
          printed.end();
          expect(lines.join("")).toBe(text.replaceAll("\n", ""));
        },
      ),
    );
  });
});

describe("a tail", () => {
  it("is the end of what was written", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 50 })), fc.integer({ min: 1, max: 40 }), (chunks, limit) => {
        const tail = new Tail(limit);
        for (const chunk of chunks) tail.push(Buffer.from(chunk.map((byte) => 97 + (byte % 26))));
        const all = Buffer.concat(chunks.map((chunk) => chunk.map((byte) => 97 + (byte % 26)))).toString();
        expect(tail.toString()).toBe(all.slice(-limit));
      }),
    );
  });
});
