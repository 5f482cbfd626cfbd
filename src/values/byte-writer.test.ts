import { Buffer } from "node:buffer";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ByteWriter } from "./byte-writer.ts";

describe("ByteWriter", () => {
  it("writes little-endian and grows as needed", () => {
    const writer = new ByteWriter(1);
    writer.u8(1);
    writer.u16(0x0302);
    writer.u32(0x07060504);
    writer.f64(1.5);
    writer.i64(-2n);
    writer.bytes(new Uint8Array([9, 8]));
    const expected = Buffer.alloc(25);
    Buffer.from([1, 2, 3, 4, 5, 6, 7]).copy(expected);
    expected.writeDoubleLE(1.5, 7);
    expected.writeBigInt64LE(-2n, 15);
    expected.set([9, 8], 23);
    expect(writer.take()).toEqual(expected);
    expect(writer.pos).toBe(0);
  });

  it("writes numbers of any size seven bits at a time", () => {
    const read = (bytes: Buffer): number => bytes.reduceRight((n, byte) => n * 128 + (byte & 0x7f), 0);
    fc.assert(
      fc.property(fc.maxSafeNat(), (n) => {
        const writer = new ByteWriter();
        writer.varint(n);
        const bytes = writer.take();
        expect(read(bytes)).toBe(n);
        expect([...bytes].every((byte, i) => byte >= 128 === i < bytes.length - 1)).toBe(true);
      }),
    );
  });

  it("writes any text as Buffer does", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 200 }), fc.nat(3), (text, repeat) => {
        const writer = new ByteWriter(1);
        const long = text.repeat(10 ** repeat);
        expect(writer.utf8(long)).toBe(Buffer.byteLength(long));
        expect(writer.take().equals(Buffer.from(long))).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  it("lets go of a buffer that one large value made grow", () => {
    const writer = new ByteWriter(64);
    writer.bytes(new Uint8Array(3_000_000));
    writer.reset();
    expect(writer.buf.length).toBe(64);
  });

  it("takes a copy that later writes do not change", () => {
    const writer = new ByteWriter();
    writer.u8(1);
    const taken = writer.take();
    writer.u8(2);
    expect([...taken]).toEqual([1]);
  });
});
