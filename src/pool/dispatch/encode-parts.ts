import { ByteWriter } from "../../values/byte-writer.ts";
import { encode } from "../../values/encode.ts";
import { takeExternals, wantExternals } from "../../values/externals.ts";
import type { EncodeHooks } from "../../values/hooks.ts";

/** Encodes a value by itself: its bytes, then the copies of its large buffers. */
export function encodeParts(value: unknown, hooks: EncodeHooks): Uint8Array[] {
  const writer = new ByteWriter(256);
  wantExternals();
  try {
    encode(value, writer, hooks);
  } catch (error) {
    takeExternals();
    throw error;
  }
  return [headOf(writer), ...takeExternals()];
}

/** What was written: the buffer itself where a copy would cost more than the room that it has left. */
function headOf(writer: ByteWriter): Uint8Array {
  return writer.pos > COPY_MAX_BYTES ? writer.buf.subarray(0, writer.pos) : writer.take();
}

const COPY_MAX_BYTES = 1024 * 1024;
