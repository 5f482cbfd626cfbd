import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ByteWriter } from "../values/byte-writer.ts";
import { decodeError } from "../values/errors.ts";
import { encodeReason } from "./cancel-reason.ts";
import { INLINE_MAX_BYTES, Op } from "./ops.ts";
import { readCancel, writeCancelWith } from "./records.ts";

interface Vector {
  readonly name: string;
  readonly op: number;
  readonly hex: string;
  readonly ranges: readonly { first: number; count: number }[];
  readonly reason?: string | ({ readonly class: string } & Record<string, unknown>);
}

const file = join(import.meta.dirname, "../../test/vectors/records/cancel.json");

describe("cancel.json", () => {
  for (const { name, op, hex, ranges, reason } of JSON.parse(readFileSync(file, "utf8")) as Vector[]) {
    it(`reads ${name}`, () => {
      const body = Buffer.from(hex, "hex");
      const read = readCancel(op, body, 0, body.length);
      expect(read.ranges).toEqual(ranges);
      if (reason === undefined) return expect(read.why).toBeUndefined();
      const why = decodeError(read.why!, 0, read.why!.length);
      if (typeof reason === "string") return expect(why).toBe(reason);
      const { class: kind, ...fields } = reason;
      expect((why as Error).constructor.name).toBe(kind);
      expect(why).toMatchObject(fields);
    });
  }
});

describe("CANCEL_WITH", () => {
  it("is refused where it is too short for its ranges", () => {
    const body = Buffer.from("0200070000000000010000", "hex");
    expect(() => readCancel(Op.CANCEL_WITH, body, 0, body.length)).toThrow(/CANCEL_WITH record of 11 bytes/);
    expect(() => readCancel(Op.CANCEL_WITH, body, 0, 1)).toThrow(/CANCEL_WITH record of 1 bytes/);
  });

  it("tells of a large reason its name and message, and is small", () => {
    const large = Object.assign(new TypeError("m".repeat(5000)), { data: "x".repeat(1_000_000) });
    const out = new ByteWriter(64);
    writeCancelWith(out, 1, 1, encodeReason(large));
    const body = out.take();
    expect(body.length).toBeLessThan(INLINE_MAX_BYTES);
    const { why } = readCancel(Op.CANCEL_WITH, body, 0, body.length);
    expect(decodeError(why!, 0, why!.length)).toMatchObject({ name: "TypeError", message: "m".repeat(1024) });
  });
});
