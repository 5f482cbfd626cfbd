import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { ByteWriter } from "../values/byte-writer.ts";
import { ByteSource } from "./files/byte-source.ts";
import { leftLarge, readLeft, wholeRecords } from "./left-outcomes.ts";
import { Op } from "./ops.ts";
import { writeOutcomesHeader } from "./records.ts";

function header(id: number): Buffer {
  const out = new ByteWriter(64);
  writeOutcomesHeader(out, id, 1, 1, 5, 1000);
  return Buffer.from(out.buf.subarray(0, out.pos));
}

function small(id: number): Buffer {
  const body = Buffer.concat([header(id), Buffer.from([0])]);
  const head = Buffer.from([Op.OUTCOMES, 0, 0, 0, 0]);
  head.writeUInt32LE(body.length, 1);
  return Buffer.concat([head, body]);
}

async function read(bytes: Buffer, chunk = bytes.length || 1, said = bytes.length): Promise<unknown[]> {
  const chunks = Array.from({ length: Math.ceil(bytes.length / chunk) }, (_, i) =>
    bytes.subarray(i * chunk, (i + 1) * chunk),
  );
  const seen: unknown[] = [];
  await readLeft(new ByteSource(Readable.from(chunks)), said, {
    outcomes: (record) => seen.push(record.readUIntLE(0, 6)),
    large: (head, status, parts) => seen.push([head.readUIntLE(0, 6), status, parts.map((part) => part.length)]),
  });
  return seen;
}

const parts = [Buffer.from("value"), Buffer.alloc(3000, 7), Buffer.alloc(0)];
const all = Buffer.concat([small(1), leftLarge(header(2), 1, parts), ...parts, small(3)]);

describe("what a host left", () => {
  it("is read however it is cut into chunks", async () => {
    for (const chunk of [1, 7, 100, all.length]) expect(await read(all, chunk)).toEqual([1, [2, 1, [5, 3000, 0]], 3]);
    expect(await read(Buffer.alloc(0))).toEqual([]);
  });

  it("has as many whole records as were written before the end", () => {
    const records = Buffer.concat([small(1), small(2)]);
    const whole = small(1).length;
    for (let at = 0; at <= records.length; at++)
      expect(wholeRecords(records.subarray(0, at))).toBe(Math.floor(at / whole) * whole);
  });

  it("is refused where it does not keep to its form", async () => {
    const other = Buffer.from(all);
    other[0] = Op.LOG;
    const long = Buffer.from(small(1));
    long.writeUInt32LE(0xffff_ffff, 1);
    const size = Buffer.from(leftLarge(header(2), 0, [parts[0]!]));
    size.writeDoubleLE(Number.NaN, size.length - 8);
    const count = Buffer.from(leftLarge(header(2), 0, [parts[0]!]));
    count.writeUInt16LE(9, count.length - 10);
    for (const bytes of [other, long, size, count])
      await expect(read(bytes)).rejects.toMatchObject({ code: "SKY_WIRE_MALFORMED" });
    await expect(read(all.subarray(0, -1), 100, all.length)).rejects.toThrow("the other side ended");
    await expect(read(all, 100, all.length - 1)).rejects.toMatchObject({ code: "SKY_WIRE_MALFORMED" });
  });
});
