/** All bytes of the parts. */
export function totalBytes(parts: readonly Uint8Array[]): number {
  let sum = 0;
  for (const part of parts) sum += part.byteLength;
  return sum;
}

/** Views of the bytes `[from, to)` of parts that lie one behind the other. */
export function slices(parts: readonly Uint8Array[], from: number, to: number): Uint8Array[] {
  const out: Uint8Array[] = [];
  let start = 0;
  for (const part of parts) {
    const end = start + part.byteLength;
    if (end > from && start < to) out.push(part.subarray(Math.max(0, from - start), Math.min(to, end) - start));
    start = end;
    if (start >= to) break;
  }
  return out;
}
