/** Messages of the bulk link: `u8 operation, u32 channel, u32 length`, then so many bytes. */
export const BulkOp = {
  /** kind u8, lowest channel that is not acknowledged u32, then the size of each part, f64. */
  OPEN: 1,
  /** The next bytes of the channel: its parts, one behind the other. */
  DATA: 2,
  /** SHA-256 of the block of 4 MiB, or the rest, that ends here; shared values only. */
  HASH: 3,
  /** f64: so many bytes of the channel have arrived. */
  ACK: 4,
  /** The rest will not come. */
  ABORT: 5,
} as const;

/** 0: for one taker, 1: a shared value, whose blocks are hashed. */
export type BulkKind = 0 | 1;

export const BULK_HEADER_BYTES = 9;

export function bulkHeader(op: number, channel: number, length: number): Buffer {
  const out = Buffer.allocUnsafe(BULK_HEADER_BYTES);
  out[0] = op;
  out.writeUInt32LE(channel, 1);
  out.writeUInt32LE(length, 5);
  return out;
}
