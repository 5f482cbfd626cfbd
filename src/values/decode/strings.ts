import * as tag from "../tags.ts";
import type { DecodeState } from "./state.ts";

/** Up to this many characters a string is put together here; a native call costs more. */
export const BY_HAND = 12;
const CACHE = 1024;
const f = String.fromCharCode;

/** Keys of objects recur: those seen lately, by a hash of their bytes. */
const keys: (string | undefined)[] = Array.from({ length: CACHE }, () => undefined);

/** `length` bytes of UTF-8. Invalid bytes become U+FFFD. */
export function readUtf8(d: DecodeState, length: number): string {
  const at = d.skip(length);
  const { buf } = d;
  if (length <= BY_HAND) {
    const short = readShort(buf, at, length);
    if (short !== undefined) return short;
  }
  return buf.toString("utf8", at, at + length);
}

export function readUtf16(d: DecodeState): string {
  const length = d.varint();
  if (length % 2 !== 0) throw d.malformed("a UTF-16 text has an odd length");
  const at = d.skip(length);
  return d.buf.toString("utf16le", at, at + length);
}

/** A string value that is used as a key. */
export function readKey(d: DecodeState): string {
  const first = d.peek();
  if (first < tag.FIX_STRING || first >= tag.FIX_STRING_END) return d.text();
  d.pos++;
  const length = first - tag.FIX_STRING;
  const at = d.skip(length);
  const { buf } = d;
  let hash = length;
  for (let i = 0; i < length; i++) hash = (hash * 31 + buf[at + i]!) | 0;
  const slot = (hash ^ (hash >>> 10)) & (CACHE - 1);
  const cached = keys[slot];
  if (cached !== undefined && cached.length === length) {
    let i = 0;
    while (i < length && cached.charCodeAt(i) === buf[at + i]) i++;
    if (i === length) return cached;
  }
  const text = buf.toString("utf8", at, at + length);
  if (text.length === length) keys[slot] = text;
  return text;
}

/** At most `BY_HAND` characters; undefined where the bytes are not all ASCII. A call with a fixed number of characters is several times faster than any other way. */
export function readShort(b: Uint8Array, i: number, length: number): string | undefined {
  for (let k = i + length; k-- > i;) if (b[k]! > 0x7f) return undefined;
  switch (length) {
    case 1:
      return f(b[i]!);
    case 2:
      return f(b[i]!, b[i + 1]!);
    case 3:
      return f(b[i]!, b[i + 1]!, b[i + 2]!);
    case 4:
      return f(b[i]!, b[i + 1]!, b[i + 2]!, b[i + 3]!);
    case 5:
      return f(b[i]!, b[i + 1]!, b[i + 2]!, b[i + 3]!, b[i + 4]!);
    case 6:
      return f(b[i]!, b[i + 1]!, b[i + 2]!, b[i + 3]!, b[i + 4]!, b[i + 5]!);
    case 7:
      return f(b[i]!, b[i + 1]!, b[i + 2]!, b[i + 3]!, b[i + 4]!, b[i + 5]!, b[i + 6]!);
    case 8:
      return f(b[i]!, b[i + 1]!, b[i + 2]!, b[i + 3]!, b[i + 4]!, b[i + 5]!, b[i + 6]!, b[i + 7]!);
    case 9:
      return f(b[i]!, b[i + 1]!, b[i + 2]!, b[i + 3]!, b[i + 4]!, b[i + 5]!, b[i + 6]!, b[i + 7]!, b[i + 8]!);
    case 10:
      return f(
        b[i]!,
        b[i + 1]!,
        b[i + 2]!,
        b[i + 3]!,
        b[i + 4]!,
        b[i + 5]!,
        b[i + 6]!,
        b[i + 7]!,
        b[i + 8]!,
        b[i + 9]!,
      );
    case 11:
      return f(
        b[i]!,
        b[i + 1]!,
        b[i + 2]!,
        b[i + 3]!,
        b[i + 4]!,
        b[i + 5]!,
        b[i + 6]!,
        b[i + 7]!,
        b[i + 8]!,
        b[i + 9]!,
        b[i + 10]!,
      );
    case 12:
      return f(
        b[i]!,
        b[i + 1]!,
        b[i + 2]!,
        b[i + 3]!,
        b[i + 4]!,
        b[i + 5]!,
        b[i + 6]!,
        b[i + 7]!,
        b[i + 8]!,
        b[i + 9]!,
        b[i + 10]!,
        b[i + 11]!,
      );
    default:
      return "";
  }
}
