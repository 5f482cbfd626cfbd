import { SkyError } from "../errors/sky-error.ts";
import type { ByteWriter } from "../values/byte-writer.ts";

/** Reads one varint; `end` is where the item's bytes begin. */
export function itemLength(buf: Uint8Array, at: number): { length: number; start: number } {
  let length = 0;
  let scale = 1;
  let pos = at;
  for (;;) {
    const byte = buf[pos++];
    if (byte === undefined || scale > 0x8_0000_0000)
      throw new SkyError("SKY_WIRE_MALFORMED", "an item's length goes past its record");
    length += (byte & 0x7f) * scale;
    if (byte < 0x80) return { length, start: pos };
    scale *= 128;
  }
}

/** Position of the item `count` items after `at`. */
export function skipItems(buf: Uint8Array, at: number, count: number): number {
  let pos = at;
  for (let i = 0; i < count; i++) {
    const first = buf[pos]!;
    if (first < 0x80) pos += 1 + first;
    else {
      const { length, start } = itemLength(buf, pos);
      pos = start + length;
    }
  }
  return pos;
}

/** Begins an item whose length is not known yet; `endItem` needs the position that this returns. */
export function beginItem(out: ByteWriter): number {
  out.u8(0);
  return out.pos - 1;
}

/** Ends the item begun at `at`; returns how many bytes it has, its length not counted. */
export function endItem(out: ByteWriter, at: number): number {
  const size = out.pos - at - 1;
  if (size < 0x80) {
    out.buf[at] = size;
    return size;
  }
  const bytes = varintSize(size);
  out.reserve(bytes - 1);
  out.buf.copyWithin(at + bytes, at + 1, out.pos);
  const end = out.pos + bytes - 1;
  out.pos = at;
  out.varint(size);
  out.pos = end;
  return size;
}

/** Bytes that a length takes. */
export function varintSize(size: number): number {
  let bytes = 1;
  for (let rest = size; rest >= 0x80; rest = Math.floor(rest / 128)) bytes++;
  return bytes;
}
