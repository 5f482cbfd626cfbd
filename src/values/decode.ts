import { Buffer } from "node:buffer";
import { SkyError } from "../errors/sky-error.ts";
import { Decoder } from "./decode/decoder.ts";
import { float64, int16, int32 } from "./decode/numbers.ts";
import { BY_HAND, readShort } from "./decode/strings.ts";
import type { DecodeHooks } from "./hooks.ts";
import { isStackOverflow } from "./refusal.ts";
import * as tag from "./tags.ts";

/** The decoder that is not in use; a codec or hook that decodes in turn gets another. */
let idle: Decoder | undefined = new Decoder();

/**
 * The value whose bytes are `buf[start, end)`, all of them. The value keeps no part of `buf`. Runs no constructor of a
 * user's class, generates no code, and allocates no more than in proportion to the bytes.
 * @throws SKY_VALUE_MALFORMED where the bytes are no value
 * @throws SKY_VALUE_LIMIT where it is deeper or larger than `hooks.limits`
 * @throws SKY_VALUE_UNSERIALIZABLE where a class is not known here, or its codec fails
 */
export function decode(buf: Uint8Array, start = 0, end: number = buf.length, hooks?: DecodeHooks): unknown {
  // Most results are one number or nothing: no state is needed for them.
  if (end <= buf.length) {
    const first = buf[start]!;
    const size = end - start;
    if (size === 1 && first < tag.FIX_INT_END) return first;
    if (size === 1 && first === tag.UNDEFINED) return undefined;
    if (size === 9 && first === tag.FLOAT64) return float64(buf, start + 1);
    if (size === 5 && first === tag.INT32) return int32(buf, start + 1);
    if (size === 3 && first === tag.INT16) return int16(buf, start + 1);
    if (size === first - tag.FIX_STRING + 1 && size <= BY_HAND) {
      const short = readShort(buf, start + 1, size - 1);
      if (short !== undefined) return short;
    }
  }
  if (!(start >= 0 && start <= end && end <= buf.length)) {
    throw new SkyError(
      "SKY_VALUE_MALFORMED",
      `There are ${buf.length} bytes, and the value is said to be at ${start} to ${end}.`,
    );
  }
  const decoder = idle ?? new Decoder();
  idle = undefined;
  decoder.begin(Buffer.isBuffer(buf) ? buf : Buffer.from(buf.buffer, buf.byteOffset, buf.length), start, end, hooks);
  try {
    if (end - start > decoder.limits.bytes) {
      throw new SkyError(
        "SKY_VALUE_LIMIT",
        `The value has ${end - start} bytes, and the limit is ${decoder.limits.bytes}.`,
      );
    }
    const value = decoder.value();
    if (decoder.pos !== end) throw decoder.malformed(`${end - decoder.pos} bytes follow the value`);
    return value;
  } catch (error) {
    if (error instanceof SkyError) throw error;
    if (isStackOverflow(error)) throw new SkyError("SKY_VALUE_LIMIT", "The value is nested too deeply for the stack.");
    throw decoder.malformed(error instanceof Error ? error.message : "it can't be read", error);
  } finally {
    decoder.end();
    idle = decoder;
  }
}
