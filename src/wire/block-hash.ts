import { createHash } from "node:crypto";
import { slices } from "./parts.ts";

/** Shared values are hashed in blocks of this size, so that hashing and sending overlap. */
export const HASH_BLOCK_BYTES = 4 * 1024 * 1024;

/** SHA-256 of the block of the parts' bytes that ends at `end`. */
export function blockHash(parts: readonly Uint8Array[], end: number): Buffer {
  const hash = createHash("sha256");
  const start = Math.floor((end - 1) / HASH_BLOCK_BYTES) * HASH_BLOCK_BYTES;
  for (const slice of slices(parts, start, end)) hash.update(slice);
  return hash.digest();
}
