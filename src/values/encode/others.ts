import { Refusal } from "../refusal.ts";
import { refusalOf } from "../describe.ts";
import * as tag from "../tags.ts";
import { writeBytes } from "./binary.ts";
import { writeString } from "./scalars.ts";
import type { EncodeState } from "./state.ts";

export function writeDate(e: EncodeState, date: object): void {
  const time = Date.prototype.getTime.call(date);
  e.writer.u8(tag.DATE);
  e.writer.f64(time);
}

export function writeRegExp(e: EncodeState, object: object): void {
  const regexp = object as RegExp;
  const { source, flags, lastIndex } = regexp;
  e.writer.u8(tag.REGEXP);
  writeString(e.writer, source);
  writeString(e.writer, flags);
  e.writer.varint(Number.isSafeInteger(lastIndex) && lastIndex > 0 ? lastIndex : 0);
}

export function writeUrl(e: EncodeState, url: object): void {
  const href = (url as URL).href;
  e.writer.u8(tag.URL_TAG);
  writeString(e.writer, href);
}

export function writeUrlSearchParams(e: EncodeState, params: object): void {
  const text = URLSearchParams.prototype.toString.call(params as URLSearchParams);
  e.writer.u8(tag.URL_SEARCH_PARAMS);
  writeString(e.writer, text);
}

/** `new Number(1)` and its like. */
export function writeBoxed(e: EncodeState, object: object): void {
  const primitive: unknown = (object as { valueOf(): unknown }).valueOf();
  if (typeof primitive === "object") throw new Refusal("", "it is not what its prototype says");
  e.writer.u8(tag.BOXED);
  e.value(primitive);
}

export function writeBlob(e: EncodeState, object: object): void {
  const blob = object as Blob & { readonly name?: unknown; readonly lastModified?: unknown };
  const bytes = e.hooks.blob?.(blob);
  if (bytes === undefined) {
    e.forget(object);
    e.refuse(refusalOf(object));
    return;
  }
  const w = e.writer;
  w.u8(tag.BLOB);
  writeBytes(e, bytes);
  writeString(w, blob.type);
  if (typeof blob.name !== "string" || typeof blob.lastModified !== "number") return w.u8(0);
  w.u8(1);
  writeString(w, blob.name);
  w.f64(blob.lastModified);
}
