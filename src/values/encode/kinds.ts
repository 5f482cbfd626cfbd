import { Buffer } from "node:buffer";
import { viewPrototypes } from "../views.ts";
import { writeArray } from "./arrays.ts";
import { writeArrayBuffer, writeNodeBuffer, writeSharedArrayBuffer, writeView } from "./binary.ts";
import { writeMap, writeSet } from "./collections.ts";
import { writeObject } from "./objects.ts";
import { writeBlob, writeBoxed, writeDate, writeRegExp, writeUrl, writeUrlSearchParams } from "./others.ts";
import type { EncodeState } from "./state.ts";

/** Writes an object that already has its id. */
export type Write = (e: EncodeState, object: object) => void;

const byPrototype = new Map<object, Write>([
  [Object.prototype, writeObject],
  [Array.prototype, writeArray as Write],
  [Map.prototype, writeMap],
  [Set.prototype, writeSet],
  [Date.prototype, writeDate],
  [RegExp.prototype, writeRegExp],
  [Buffer.prototype, writeNodeBuffer],
  [ArrayBuffer.prototype, writeArrayBuffer],
  [URL.prototype, writeUrl],
  [URLSearchParams.prototype, writeUrlSearchParams],
  [Number.prototype, writeBoxed],
  [String.prototype, writeBoxed],
  [Boolean.prototype, writeBoxed],
  [BigInt.prototype, writeBoxed],
  [Symbol.prototype, writeBoxed],
]);
if (typeof SharedArrayBuffer === "function") byPrototype.set(SharedArrayBuffer.prototype, writeSharedArrayBuffer);
if (typeof Blob === "function") byPrototype.set(Blob.prototype, writeBlob);
const file = (globalThis as { File?: { prototype: object } }).File;
if (file !== undefined) byPrototype.set(file.prototype, writeBlob);
for (const prototype of viewPrototypes()) byPrototype.set(prototype, writeView);

const NATIVE = /\{\s*\[native code\]\s*\}\s*$/;
const byName = new Map<string, Write>();
for (const [prototype, write] of byPrototype)
  byName.set((prototype as { constructor: { name: string } }).constructor.name, write);

export function writerFor(prototype: object): Write | undefined {
  return byPrototype.get(prototype);
}

/** The same for a built-in class of another realm, as test runners with `node:vm` contexts make them. */
export function foreignWriterFor(prototype: object): Write | undefined {
  const constructor: unknown = Object.getOwnPropertyDescriptor(prototype, "constructor")?.value;
  if (typeof constructor !== "function" || !NATIVE.test(Function.prototype.toString.call(constructor)))
    return undefined;
  return byName.get(constructor.name);
}

/** What an instance of a user's class is underneath: a Map for a class that extends Map. */
export function baseWriterFor(object: object): Write {
  if (Array.isArray(object)) return writeArray as Write;
  for (
    let p = Object.getPrototypeOf(object) as object | null;
    p !== null;
    p = Object.getPrototypeOf(p) as object | null
  ) {
    const write = byPrototype.get(p);
    if (write !== undefined) return write;
  }
  return writeObject;
}
