/** Bytes of their own, for work that outlives the arrival it came with. */
export function copyOf(buf: Buffer, start: number, end: number): Uint8Array {
  const out = new Uint8Array(end - start);
  if (out.length > 64) buf.copy(out, 0, start, end);
  else for (let i = 0; i < out.length; i++) out[i] = buf[start + i]!;
  return out;
}
