import { Refusal } from "../refusal.ts";
import * as tag from "../tags.ts";
import { kindOfView, PART, SHARED } from "../views.ts";
import type { EncodeState } from "./state.ts";

/** A length and the bytes, or where the other end finds them. */
export function writeBytes(e: EncodeState, bytes: Uint8Array): void {
  const w = e.writer;
  if (bytes.length >= e.limits.externalFrom && e.hooks.external !== undefined) {
    const index = e.hooks.external(bytes);
    if (index !== undefined) {
      w.varint(index * 2 + 1);
      w.varint(bytes.length);
      return;
    }
  }
  w.varint(bytes.length * 2);
  w.bytes(bytes);
}

export function writeArrayBuffer(e: EncodeState, buffer: object): void {
  const bytes = bytesOf(buffer as ArrayBuffer);
  e.writer.u8(tag.ARRAY_BUFFER);
  writeBytes(e, bytes);
}

export function writeSharedArrayBuffer(e: EncodeState, buffer: object): void {
  e.writer.u8(tag.SHARED_ARRAY_BUFFER);
  writeBytes(e, new Uint8Array(buffer as SharedArrayBuffer));
}

/**
 * A view that covers its buffer brings the buffer along; one that shares a buffer already written points at it; any other
 * part of a buffer travels alone, so that a slice of a large array costs what the slice costs.
 */
export function writeView(e: EncodeState, object: object): void {
  const view = object as ArrayBufferView;
  const kind = kindOfView(view);
  if (kind === undefined) throw new Refusal("ArrayBufferView", "its kind is not known here");
  const { buffer, byteOffset, byteLength } = view;
  const w = e.writer;
  const id = e.find(buffer);
  if (id >= 0) {
    w.u8(tag.VIEW_ON);
    w.u8(kind.number);
    w.varint(byteOffset);
    w.varint(byteLength / kind.size);
    w.u8(tag.REF);
    w.varint(id);
    return;
  }
  const bytes = bytesOf(buffer, byteOffset, byteLength);
  const whole = byteLength === buffer.byteLength;
  w.u8(tag.VIEW);
  w.u8(kind.number | (buffer instanceof SharedArrayBuffer ? SHARED : 0) | (whole ? 0 : PART));
  if (whole) e.add(buffer);
  writeBytes(e, bytes);
}

export function writeNodeBuffer(e: EncodeState, buffer: object): void {
  const bytes = buffer as Uint8Array;
  if (bytes.length === 0) bytesOf(bytes.buffer, bytes.byteOffset, 0);
  e.writer.u8(tag.BUFFER);
  writeBytes(e, bytes);
}

function bytesOf(buffer: ArrayBufferLike, byteOffset = 0, byteLength = buffer.byteLength): Uint8Array {
  try {
    return new Uint8Array(buffer, byteOffset, byteLength);
  } catch (cause) {
    throw new Refusal(
      "ArrayBuffer",
      "its memory was transferred away",
      "Pass it before it is transferred, or copy it.",
      cause,
    );
  }
}
