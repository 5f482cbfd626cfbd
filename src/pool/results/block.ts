import { createHash } from "node:crypto";

/** A result under the key of its call. */
export interface Kept {
  /** `KEY_BYTES` long, as latin1. */
  readonly key: string;
  readonly bytes: Uint8Array;
}

/** Where a result lies in a block's body. */
export interface Place {
  readonly key: string;
  readonly at: number;
  readonly length: number;
}

export const KEY_BYTES = 16;
/** Magic u32, length of the body u32, when it was written f64 ms since the epoch, sha256 of that time and the body. */
export const BLOCK_HEADER_BYTES = 48;
const MAGIC = 0x31524b53; // "SKR1"

export interface BlockHeader {
  readonly bodyBytes: number;
  readonly writtenMs: number;
  readonly seal: Buffer;
}

/** Results that are written together: what is cut off or damaged is told by its hash. */
export function makeBlock(results: readonly Kept[], writtenMs: number): Buffer {
  const size = results.reduce((sum, { bytes }) => sum + KEY_BYTES + 4 + bytes.length, 0);
  const block = Buffer.allocUnsafe(BLOCK_HEADER_BYTES + size);
  block.writeUInt32LE(MAGIC, 0);
  block.writeUInt32LE(size, 4);
  block.writeDoubleLE(writtenMs, 8);
  let at = BLOCK_HEADER_BYTES;
  for (const { key, bytes } of results) {
    block.write(key, at, "latin1");
    block.writeUInt32LE(bytes.length, at + KEY_BYTES);
    block.set(bytes, at + KEY_BYTES + 4);
    at += KEY_BYTES + 4 + bytes.length;
  }
  sealOf(block.subarray(8, 16), block.subarray(BLOCK_HEADER_BYTES)).copy(block, 16);
  return block;
}

/** Undefined for what begins no block. */
export function readHeader(bytes: Buffer): BlockHeader | undefined {
  if (bytes.length < BLOCK_HEADER_BYTES || bytes.readUInt32LE(0) !== MAGIC) return undefined;
  return {
    bodyBytes: bytes.readUInt32LE(4),
    writtenMs: bytes.readDoubleLE(8),
    seal: bytes.subarray(16, BLOCK_HEADER_BYTES),
  };
}

/** The results of a block's body; undefined where it is not what was written. */
export function readBody({ seal, writtenMs }: BlockHeader, body: Buffer): Place[] | undefined {
  const written = Buffer.allocUnsafe(8);
  written.writeDoubleLE(writtenMs, 0);
  if (!sealOf(written, body).equals(seal)) return undefined;
  const places: Place[] = [];
  for (let at = 0; at < body.length;) {
    const length = body.readUInt32LE(at + KEY_BYTES);
    const start = at + KEY_BYTES + 4;
    places.push({ key: body.toString("latin1", at, at + KEY_BYTES), at: start, length });
    at = start + length;
  }
  return places;
}

function sealOf(written: Uint8Array, body: Uint8Array): Buffer {
  return createHash("sha256").update(written).update(body).digest();
}
