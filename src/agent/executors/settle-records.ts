import { Op } from "../../wire/ops.ts";
import type { Carrier } from "./carrier.ts";
import type { Chunk } from "./chunk.ts";

/**
 * Enters the OUTCOMES records of one message in the books of their carrier.
 * @returns stretches of records whose tasks had no outcome before, as they are to be passed on
 */
export function settleRecords(
  carrier: Carrier,
  records: Buffer,
  measured: (bind: number, itemMs: number) => void,
): readonly Buffer[] {
  const stretches: Buffer[] = [];
  let passed = 0;
  let at = 0;
  while (at < records.length) {
    const end = at + 5 + records.readUInt32LE(at + 1);
    const first = records.readUInt32LE(at + 5) + records.readUInt16LE(at + 9) * 0x1_0000_0000;
    const count = records.readUInt16LE(at + 12);
    const chunk = records[at] === Op.OUTCOMES ? carrier.find(first, records[at + 11]!) : undefined;
    const item = chunk ? first - chunk.work.first : 0;
    if (chunk?.endRun(item, count)) carrier.open -= count;
    else if (!chunk || !endEach(carrier, chunk, item, count)) {
      if (passed < at) stretches.push(records.subarray(passed, at));
      passed = end;
    }
    if (chunk) {
      measured(chunk.work.bind, records.readUInt32LE(at + 14) / 1000 / Math.max(1, count));
      if (chunk.finished) carrier.release(chunk);
    }
    at = end;
  }
  if (passed === 0) return [records];
  if (passed < at) stretches.push(records.subarray(passed, at));
  return stretches;
}

/** False when an item had its outcome already, as after a time limit; a record then has one item, or is all late. */
function endEach(carrier: Carrier, chunk: Chunk, item: number, count: number): boolean {
  let fresh = 0;
  for (let i = item; i < item + count; i++) if (chunk.end(i)) fresh++;
  carrier.open -= fresh;
  return fresh > 0;
}
