import { expect, it } from "vitest";
import { encode } from "../../values/encode.ts";
import { ByteWriter } from "../../values/byte-writer.ts";
import { beginItem, endItem } from "../../wire/items.ts";
import { Op, Status } from "../../wire/ops.ts";
import { readOutcomesHeader, writeOutcomesHeader } from "../../wire/records.ts";
import { smallOutcomes } from "./small-outcomes.ts";

/** A frame with a line, and one record of consecutive tasks from `first` on with these statuses; -1 is `undefined`. */
function frame(first: number, statuses: readonly number[]): Buffer {
  const out = new ByteWriter(1024);
  const record = (op: number, write: () => void): void => {
    const at = out.pos;
    out.u8(op);
    out.u32(0);
    write();
    out.buf.writeUInt32LE(out.pos - at - 5, at + 1);
  };
  out.u32(0);
  out.u32(0);
  record(Op.LOG, () => out.bytes(Buffer.alloc(20, 1)));
  record(Op.OUTCOMES, () => {
    writeOutcomesHeader(out, first, 2, statuses.length, 1000 * statuses.length, 5000, 70);
    for (const status of statuses) {
      const at = beginItem(out);
      if (status >= 0) out.u8(status);
      if (status === Status.RETURNED) encode("x".repeat(200), out);
      endItem(out, at);
    }
  });
  return Buffer.from(out.buf.subarray(0, out.pos));
}

function read(bytes: Buffer): [first: number, count: number, elapsedUs: number, bytes: number][] {
  const seen: [number, number, number, number][] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + 5 + bytes.readUInt32LE(at + 1);
    expect(bytes[at]).toBe(Op.OUTCOMES);
    const { first, count, elapsedUs, attempt } = readOutcomesHeader(bytes, at + 5, end);
    expect(attempt).toBe(2);
    seen.push([first, count, elapsedUs, end - at]);
    at = end;
  }
  return seen;
}

it("keeps of frames the outcomes that stand in them, and nothing that is elsewhere", () => {
  const { RETURNED, RETURNED_BULK, RETURNED_LARGE, STREAMED, THREW } = Status;
  const whole = frame(10, [RETURNED, THREW, -1]);
  const mixed = frame(2 ** 33, [-1, STREAMED, RETURNED]);
  const none = [frame(20, [STREAMED]), frame(21, [RETURNED_BULK]), frame(22, [RETURNED_LARGE])];
  expect(read(smallOutcomes([whole, ...none, mixed]))).toEqual([
    [10, 3, 3000, whole.length - 8 - 25],
    [2 ** 33, 1, 1000, 31],
    [2 ** 33 + 2, 1, 1000, expect.any(Number)],
  ]);
  expect(smallOutcomes(none).length).toBe(0);
});
