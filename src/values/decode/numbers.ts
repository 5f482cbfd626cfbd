const scratch = new DataView(new ArrayBuffer(8));
const scratchBytes = new Uint8Array(scratch.buffer);

/** Signed, little-endian. */
export function int16(b: Uint8Array, at: number): number {
  return ((b[at]! | (b[at + 1]! << 8)) << 16) >> 16;
}

export function int32(b: Uint8Array, at: number): number {
  return b[at]! | (b[at + 1]! << 8) | (b[at + 2]! << 16) | (b[at + 3]! << 24);
}

export function float64(b: Uint8Array, at: number): number {
  load(b, at);
  return scratch.getFloat64(0, true);
}

export function bigInt64(b: Uint8Array, at: number): bigint {
  load(b, at);
  return scratch.getBigInt64(0, true);
}

/** A DataView on each buffer would cost more than these copies. */
function load(b: Uint8Array, at: number): void {
  scratchBytes[0] = b[at]!;
  scratchBytes[1] = b[at + 1]!;
  scratchBytes[2] = b[at + 2]!;
  scratchBytes[3] = b[at + 3]!;
  scratchBytes[4] = b[at + 4]!;
  scratchBytes[5] = b[at + 5]!;
  scratchBytes[6] = b[at + 6]!;
  scratchBytes[7] = b[at + 7]!;
}
