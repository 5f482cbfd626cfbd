import { SkyError } from "../errors/sky-error.ts";
import type { ByteSource } from "./files/byte-source.ts";
import { Op } from "./ops.ts";
import { OUTCOMES_HEADER } from "./records.ts";

const RECORD_HEADER = 5;
/** Of one record; the bytes of a large outcome stand behind its record. */
const RECORD_MAX_BYTES = 64 * 1024 * 1024;

/** What a host that is gone had not got rid of: OUTCOMES records as they are, and large outcomes with all their bytes. */
export interface LeftEvents {
  outcomes(record: Buffer): void;
  /** `header`: that of an OUTCOMES record with this one task. `parts`: the encoded value, then its bytes out of band. */
  large(header: Buffer, status: number, parts: Uint8Array[]): void;
}

/** The record in front of a large outcome's parts. `header`: that of an OUTCOMES record with this one task. */
export function leftLarge(header: Uint8Array, status: number, parts: readonly Uint8Array[]): Buffer {
  const body = OUTCOMES_HEADER + 3 + 8 * parts.length;
  const out = Buffer.alloc(RECORD_HEADER + body);
  out[0] = Op.LEFT_LARGE;
  out.writeUInt32LE(body, 1);
  out.set(header, RECORD_HEADER);
  out[RECORD_HEADER + OUTCOMES_HEADER] = status;
  out.writeUInt16LE(parts.length, RECORD_HEADER + OUTCOMES_HEADER + 1);
  for (const [index, part] of parts.entries())
    out.writeDoubleLE(part.byteLength, RECORD_HEADER + OUTCOMES_HEADER + 3 + 8 * index);
  return out;
}

/** Reads `bytes` of what was left. @throws SkyError SKY_WIRE_MALFORMED, or what the stream ended with */
export async function readLeft(source: ByteSource, bytes: number, events: LeftEvents): Promise<void> {
  let left = bytes;
  const take = (count: number): Promise<Buffer> => {
    if (!(count >= 0) || count > left) throw malformed("it is longer than was said");
    left -= count;
    return exactly(source, count);
  };
  while (left > 0) {
    const head = await take(RECORD_HEADER);
    const size = head.readUInt32LE(1);
    if (size > RECORD_MAX_BYTES) throw malformed(`a record of ${size} bytes`);
    const body = await take(size);
    if (head[0] === Op.OUTCOMES) events.outcomes(body);
    else if (head[0] === Op.LEFT_LARGE) {
      if (size < OUTCOMES_HEADER + 3) throw malformed("a record that is too short");
      const count = body.readUInt16LE(OUTCOMES_HEADER + 1);
      if (count === 0 || size !== OUTCOMES_HEADER + 3 + 8 * count) throw malformed("sizes of the wrong number");
      const parts: Uint8Array[] = [];
      for (let i = 0; i < count; i++) parts.push(await take(body.readDoubleLE(OUTCOMES_HEADER + 3 + 8 * i)));
      events.large(body.subarray(0, OUTCOMES_HEADER), body[OUTCOMES_HEADER]!, parts);
    } else throw malformed(`a record with the operation ${head[0]}`);
  }
}

/** How many of these bytes are whole records: the last one may have been cut off with its writer. */
export function wholeRecords(bytes: Buffer): number {
  let at = 0;
  while (at + RECORD_HEADER <= bytes.length) {
    const end = at + RECORD_HEADER + bytes.readUInt32LE(at + 1);
    if (end > bytes.length) break;
    at = end;
  }
  return at;
}

async function exactly(source: ByteSource, count: number): Promise<Buffer> {
  if (!Number.isSafeInteger(count)) throw malformed(`a part of ${count} bytes`);
  const pieces: Buffer[] = [];
  for await (const piece of source.bytes(count)) pieces.push(piece);
  return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
}

function malformed(what: string): SkyError {
  return new SkyError("SKY_WIRE_MALFORMED", `what a host left can't be read: ${what}`);
}
