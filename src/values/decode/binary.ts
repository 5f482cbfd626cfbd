import { Buffer } from "node:buffer";
import { KIND_MASK, PART, SHARED, type ViewKind, viewKind } from "../views.ts";
import { float64 } from "./numbers.ts";
import type { DecodeState } from "./state.ts";

/** Bytes in line, or those that came out of band. */
function readBytes(d: DecodeState): { readonly bytes: Uint8Array; readonly given: boolean } {
  const n = d.varint();
  if (n % 2 === 0) {
    const length = n / 2;
    const at = d.skip(length);
    return { bytes: new Uint8Array(d.buf.buffer, d.buf.byteOffset + at, length), given: false };
  }
  return { bytes: readExternal(d, (n - 1) / 2, d.varint()), given: true };
}

function readExternal(d: DecodeState, index: number, length: number): Uint8Array {
  const bytes = d.hooks.resolveExternal?.(index);
  if (bytes === undefined) throw d.malformed(`the bytes number ${index} are missing`);
  if (bytes.length !== length) throw d.malformed(`the bytes number ${index} are ${bytes.length} and not ${length}`);
  return bytes;
}

/** A buffer of the value's own: a copy, unless the bytes were given away and fill their buffer. */
function readOwned(d: DecodeState, shared: boolean): ArrayBufferLike {
  const { bytes, given } = readBytes(d);
  const isShared = bytes.buffer instanceof SharedArrayBuffer;
  if (given && isShared === shared && bytes.byteLength === bytes.buffer.byteLength) return bytes.buffer;
  if (!shared && !isShared) return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  const copy = shared ? new SharedArrayBuffer(bytes.length) : new ArrayBuffer(bytes.length);
  new Uint8Array(copy).set(bytes);
  return copy;
}

export function readArrayBuffer(d: DecodeState, shared: boolean): unknown {
  return d.add(readOwned(d, shared));
}

export function readView(d: DecodeState): unknown {
  const byte = d.u8();
  const kind = kindOf(d, byte & KIND_MASK);
  const slot = d.reserve();
  const whole = (byte & PART) === 0 ? d.reserve() : -1;
  const buffer = readOwned(d, (byte & SHARED) !== 0);
  if (buffer.byteLength % kind.size !== 0) throw d.malformed("a typed array ends within an element");
  const view = new kind.constructor(buffer);
  d.fill(slot, view);
  if (whole >= 0) d.fill(whole, buffer);
  return view;
}

export function readViewOn(d: DecodeState): unknown {
  const kind = kindOf(d, d.u8());
  const slot = d.reserve();
  const byteOffset = d.varint();
  const length = d.varint();
  d.enter();
  const buffer = d.value();
  d.leave();
  if (!(buffer instanceof ArrayBuffer) && !(buffer instanceof SharedArrayBuffer))
    throw d.malformed("a view is on no buffer");
  if (byteOffset % kind.size !== 0 || byteOffset + length * kind.size > buffer.byteLength) {
    throw d.malformed("a view reaches beyond its buffer");
  }
  const view = new kind.constructor(buffer, byteOffset, length);
  d.fill(slot, view);
  return view;
}

export function readNodeBuffer(d: DecodeState): Buffer {
  const { bytes, given } = readBytes(d);
  const own = given && !(bytes.buffer instanceof SharedArrayBuffer);
  return d.add(own ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length) : Buffer.from(bytes));
}

export function readBlob(d: DecodeState): unknown {
  const parts = [readBytes(d).bytes as Uint8Array<ArrayBuffer>];
  const type = d.text();
  if (d.u8() === 0) return d.add(new Blob(parts, { type }));
  const name = d.text();
  const lastModified = float64(d.buf, d.skip(8));
  const { File } = globalThis as unknown as { File?: new (parts: unknown[], name: string, init: object) => Blob };
  return d.add(File === undefined ? new Blob(parts, { type }) : new File(parts, name, { type, lastModified }));
}

function kindOf(d: DecodeState, number: number): ViewKind {
  const kind = viewKind(number);
  if (kind === undefined) throw d.malformed(`the kind of view ${number} is not known here`);
  return kind;
}
