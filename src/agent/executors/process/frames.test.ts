import fc from "fast-check";
import { expect, it } from "vitest";
import { Frames, framesOf } from "./frames.ts";

const LARGE = 70_000;

it("messages are the same wherever the stream was cut", () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 50 }),
    fc.nat({ max: 255 }).map((byte) => new Uint8Array(LARGE + byte).fill(byte)),
  );
  const message = fc.oneof(
    bytes,
    fc.record({
      type: fc.string(),
      value: bytes,
      lists: fc.array(fc.array(bytes, { maxLength: 2 }), { maxLength: 2 }),
    }),
  );
  fc.assert(
    fc.property(fc.array(message, { maxLength: 5 }), fc.array(fc.nat()), fc.boolean(), (messages, cuts, direct) => {
      const got: unknown[] = [];
      const frames = new Frames<unknown>((one) => got.push(one));
      const stream = Buffer.concat(messages.flatMap(framesOf));
      const places = [0, ...cuts.map((cut) => cut % (stream.length + 1)).toSorted((a, b) => a - b), stream.length];
      for (const [index, end] of places.slice(1).entries()) {
        for (let at = places[index]!; at < end;) {
          const room = direct ? frames.room() : new Uint8Array(end - at);
          const size = Math.min(room.byteLength, end - at);
          room.set(stream.subarray(at, at + size));
          if (direct) frames.filled(size);
          else frames.push(Buffer.from(room.buffer, room.byteOffset, size));
          at += size;
        }
      }
      expect(got.map(plain)).toEqual(messages.map(plain));
    }),
    { numRuns: 60 },
  );
});

/** Comparing bytes one by one takes too long. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString("latin1");
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, plain(one)]));
}

it("large arrays are written from where they lie, and read to where they stay", () => {
  const large = new Uint8Array(new SharedArrayBuffer(LARGE)).fill(7);
  const pieces = framesOf({ type: "parts", id: 5, shares: [[new Uint8Array(3), large]] });
  expect(pieces.filter((piece) => piece === large)).toHaveLength(1);
  expect(pieces.filter((piece) => piece !== large).every((piece) => piece.byteLength < 1000)).toBe(true);

  const got: { shares: Uint8Array[][] }[] = [];
  const frames = new Frames<{ shares: Uint8Array[][] }>((one) => got.push(one));
  const places = new Set<ArrayBufferLike>();
  for (const piece of pieces) {
    for (let at = 0; at < piece.byteLength;) {
      const room = frames.room();
      const size = Math.min(room.byteLength, 10_000, piece.byteLength - at);
      room.set(piece.subarray(at, at + size));
      places.add(room.buffer);
      frames.filled(size);
      at += size;
    }
  }
  const came = got[0]!.shares[0]![1]!;
  expect(plain(came)).toBe(plain(large));
  // It fills a buffer of its own, which all but its last bytes were read to.
  expect(came.byteLength).toBe(came.buffer.byteLength);
  expect(places.has(came.buffer)).toBe(true);
});
