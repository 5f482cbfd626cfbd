import { Buffer } from "node:buffer";
import type { ByteWriter } from "../byte-writer.ts";
import * as tag from "../tags.ts";

export function writeNumber(w: ByteWriter, n: number): void {
  const i = n | 0;
  if (i !== n || (i === 0 && 1 / n < 0)) {
    w.u8(tag.FLOAT64);
    w.f64(n);
  } else if (i >= 0 && i < tag.FIX_INT_END) {
    w.u8(i);
  } else if (i >= -128 && i < 128) {
    w.u8(tag.INT8);
    w.u8(i);
  } else if (i >= -32768 && i < 32768) {
    w.u8(tag.INT16);
    w.u16(i);
  } else {
    w.u8(tag.INT32);
    w.u32(i);
  }
}

const SHORT = tag.FIX_STRING_END - tag.FIX_STRING;

export function writeString(w: ByteWriter, text: string): void {
  const length = text.length;
  if (length < SHORT) {
    // Most strings are short and ASCII: one loop, no native call.
    w.reserve(length + 1);
    const { buf, pos } = w;
    let i = 0;
    for (; i < length; i++) {
      const c = text.charCodeAt(i);
      if (c > 0x7f) break;
      buf[pos + 1 + i] = c;
    }
    if (i === length) {
      buf[pos] = tag.FIX_STRING | length;
      w.pos = pos + 1 + length;
      return;
    }
  }
  const bytes = Buffer.byteLength(text);
  if (bytes !== length && !(text as WithWellFormed).isWellFormed()) {
    w.u8(tag.STRING_UTF16);
    w.varint(length * 2);
    w.reserve(length * 2);
    w.pos += w.buf.write(text, w.pos, "utf16le");
    return;
  }
  if (bytes < SHORT) w.u8(tag.FIX_STRING | bytes);
  else if (bytes < 256) {
    w.u8(tag.STRING8);
    w.u8(bytes);
  } else {
    w.u8(tag.STRING);
    w.varint(bytes);
  }
  w.utf8(text);
}

/** ES2024, which Node 20 has. */
type WithWellFormed = string & { isWellFormed(): boolean };

export function writeBigInt(w: ByteWriter, n: bigint): void {
  if (BigInt.asIntN(64, n) === n) {
    w.u8(tag.BIGINT64);
    w.i64(n);
    return;
  }
  const negative = n < 0n;
  const hex = (negative ? -n : n).toString(16);
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, "hex");
  w.u8(tag.BIGINT);
  w.u8(negative ? 1 : 0);
  w.varint(bytes.length);
  w.bytes(bytes.reverse());
}
