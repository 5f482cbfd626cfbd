import type { ByteWriter } from "../../values/byte-writer.ts";
import { Op } from "../ops.ts";
import { need, readId, writeId } from "../records.ts";

/** Which stream: of a task, in an attempt; lane 0 is its result, lane n its argument n - 1. */
export interface Place {
  readonly id: number;
  readonly attempt: number;
  readonly lane: number;
}

/** Operation, length, place. */
export const STREAM_HEADER = 5 + 8;
/** Most that a sender may have on the way or waiting for its consumer. */
export const MOST_ELEMENTS = 1_000_000;
export const MOST_BYTES = 8 * 1024 * 1024;
/** What a sender may have on the way before the consumer has shown that it keeps up: a fast one at 50 ms needs as much. */
export const FIRST_ELEMENTS = 262_144;
export const FIRST_BYTES = 1024 * 1024;

/** How a stream ended: by itself, with an error, or with an error in what its consumer's leaving ran. */
export const How = { ENDED: 0, THREW: 1, LEFT_THREW: 2 } as const;

export function isStreamOp(op: number): boolean {
  return op >= Op.ELEMENTS && op <= Op.STOP;
}

export function beginStreamRecord(out: ByteWriter, op: number, { id, attempt, lane }: Place): number {
  const at = out.pos;
  out.u8(op);
  out.u32(0);
  writeId(out, id);
  out.u8(attempt);
  out.u8(lane);
  return at;
}

export function endStreamRecord(out: ByteWriter, at: number): void {
  out.buf.writeUInt32LE(out.pos - at - 5, at + 1);
}

/** The place that a record's body begins with. */
export function readPlace(buf: Buffer, start: number, end: number): Place {
  need(start, end, 8, "stream");
  return { id: readId(buf, start), attempt: buf[start + 6]!, lane: buf[start + 7]! };
}
