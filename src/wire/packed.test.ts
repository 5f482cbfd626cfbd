import { randomBytes } from "node:crypto";
import { brotliCompressSync } from "node:zlib";
import { expect, test } from "vitest";
import { pack, packAside, unpack } from "./packed.ts";

const MAX = 1 << 20;

test.each([0, 1, 5, 1000, 65_536, 65_537, 500_000])("%i bytes come back", async (size) => {
  for (const bytes of [Buffer.alloc(size, "abc"), randomBytes(size)]) {
    const packed = pack(bytes);
    expect(await packAside(bytes)).toEqual(packed);
    expect(packed.length).toBeLessThanOrEqual(size + 1);
    expect(unpack(packed, MAX).equals(bytes)).toBe(true);
  }
});

test("text gets shorter", () => {
  expect(pack(Buffer.alloc(100_000, "some text, ")).length).toBeLessThan(200);
});

test("what is no pack, or would unpack to more than it says, is refused", () => {
  const small = brotliCompressSync(Buffer.alloc(10_000));
  const announced = (size: number): Buffer => {
    const head = Buffer.from([1, 0, 0, 0, 0]);
    head.writeUInt32LE(size, 1);
    return Buffer.concat([head, small]);
  };
  expect(unpack(announced(10_000), MAX)).toHaveLength(10_000);
  for (const bad of [
    Buffer.alloc(0),
    Buffer.from([2, 1]),
    Buffer.from([1]),
    announced(0),
    announced(9999),
    announced(10_001),
    announced(MAX + 1),
  ])
    expect(() => unpack(bad, MAX)).toThrow(expect.objectContaining({ code: "SKY_WIRE_MALFORMED" }));
});
