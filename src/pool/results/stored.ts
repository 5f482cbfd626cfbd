/** A result's parts as one run of bytes: how many there are u32, the length of each u32, then each. */
export function packParts(parts: readonly Uint8Array[]): Uint8Array {
  const head = Buffer.allocUnsafe(4 + 4 * parts.length);
  head.writeUInt32LE(parts.length, 0);
  for (const [index, part] of parts.entries()) head.writeUInt32LE(part.byteLength, 4 + 4 * index);
  return Buffer.concat([head, ...parts]);
}

export function totalBytes(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, part) => sum + part.byteLength, 0);
}

/** The same, back; the parts are views of `bytes`. */
export function unpackParts(bytes: Buffer): Buffer[] {
  const count = bytes.readUInt32LE(0);
  const parts: Buffer[] = [];
  for (let index = 0, at = 4 + 4 * count; index < count; index++) {
    const length = bytes.readUInt32LE(4 + 4 * index);
    parts.push(bytes.subarray(at, at + length));
    at += length;
  }
  return parts;
}
