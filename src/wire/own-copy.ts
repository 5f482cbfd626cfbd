import { setImmediate as turn } from "node:timers/promises";
import { TouchAhead } from "./touch-ahead.ts";

const SLICE_BYTES = 4 * 1024 * 1024;

/** A copy of bytes in memory of its own, while another thread touches that memory ahead; others get their turns in between. */
export async function ownCopy(bytes: Uint8Array): Promise<Uint8Array> {
  const copy = Buffer.allocUnsafeSlow(bytes.byteLength);
  const ahead = new TouchAhead(copy);
  for (let at = 0; at < copy.byteLength;) {
    const end = Math.min(at + SLICE_BYTES, ahead.limit);
    copy.set(bytes.subarray(at, end), at);
    at = end;
    ahead.step(at, () => undefined);
    await turn();
  }
  return copy;
}
