import { itemLength } from "../../wire/items.ts";
import { Op, Status } from "../../wire/ops.ts";
import { OUTCOMES_HEADER } from "../../wire/records.ts";

const FRAME_HEADER = 8;
const RECORD_HEADER = 5;

/**
 * The OUTCOMES records of frames, whole, without what they say of other places: a large outcome lies elsewhere, and a
 * stream's end is worth nothing without its elements.
 */
export function smallOutcomes(frames: Iterable<Buffer>): Buffer {
  const out: Buffer[] = [];
  for (const frame of frames) {
    for (let at = FRAME_HEADER; at < frame.length;) {
      const end = at + RECORD_HEADER + frame.readUInt32LE(at + 1);
      if (frame[at] === Op.OUTCOMES) record(frame, at, end, out);
      at = end;
    }
  }
  return Buffer.concat(out);
}

function record(frame: Buffer, at: number, end: number, out: Buffer[]): void {
  const items: { from: number; to: number; stands: boolean }[] = [];
  const first = at + RECORD_HEADER + OUTCOMES_HEADER;
  for (let pos = first; pos < end;) {
    const { length, start } = itemLength(frame, pos);
    items.push({ from: pos, to: start + length, stands: length === 0 || frame[start]! <= Status.THREW });
    pos = start + length;
  }
  if (items.every(({ stands }) => stands)) return void out.push(frame.subarray(at, end));
  for (const [index, { from, to, stands }] of items.entries())
    if (stands) out.push(single(frame, at, index, frame.subarray(from, to)));
}

/** One item of a record as a record of its own. */
function single(frame: Buffer, at: number, index: number, item: Buffer): Buffer {
  const head = Buffer.from(frame.subarray(at, at + RECORD_HEADER + OUTCOMES_HEADER));
  head.writeUInt32LE(OUTCOMES_HEADER + item.length, 1);
  const count = head.readUInt16LE(RECORD_HEADER + 7);
  head.writeUIntLE(head.readUIntLE(RECORD_HEADER, 6) + index, RECORD_HEADER, 6);
  head.writeUInt16LE(1, RECORD_HEADER + 7);
  head.writeUInt32LE(Math.round(head.readUInt32LE(RECORD_HEADER + 9) / count), RECORD_HEADER + 9);
  head.writeUInt32LE(0, RECORD_HEADER + 21);
  return Buffer.concat([head, item]);
}
