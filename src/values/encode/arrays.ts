import { under } from "../refusal.ts";
import * as tag from "../tags.ts";
import { writeProps } from "./objects.ts";
import type { EncodeState } from "./state.ts";

/** Shorter arrays of numbers gain nothing from packing. */
const PACK_FROM = 8;
const FIX = tag.FIX_ARRAY_END - tag.FIX_ARRAY;

/** What `"text".match(/e/)` adds to its array. Other named properties of arrays do not travel. */
const MATCH_KEYS = ["index", "input", "groups", "indices"];

export function writeArray(e: EncodeState, array: readonly unknown[]): void {
  const { index, input } = array as Partial<RegExpMatchArray>;
  const isMatch = index !== undefined && input !== undefined;
  if (isMatch) e.writer.u8(tag.WITH_PROPS);
  writeElements(e, array);
  if (!isMatch) return;
  writeProps(
    e,
    array,
    MATCH_KEYS.filter((key) => Object.hasOwn(array, key)),
  );
}

export function writeElements(e: EncodeState, array: readonly unknown[]): void {
  const { length } = array;
  if (length >= PACK_FROM && isMostlyFloats(array)) return writeFloats(e, array as readonly number[]);
  writeLength(e, length);
  e.enter();
  let i = 0;
  try {
    for (; i < length; i++) {
      const value = array[i];
      if (value === undefined && !Object.hasOwn(array, i)) break;
      e.value(value);
    }
  } catch (error) {
    throw under(error, `[${i}]`);
  }
  if (i < length) writeSparse(e, array, i, length);
  e.depth--;
}

function writeLength(e: EncodeState, length: number): void {
  if (length < FIX) e.writer.u8(tag.FIX_ARRAY | length);
  else {
    e.writer.u8(tag.ARRAY);
    e.writer.varint(length);
  }
}

function writeFloats(e: EncodeState, array: readonly number[]): void {
  const w = e.writer;
  w.u8(tag.ARRAY_FLOAT64);
  w.varint(array.length);
  w.reserve(array.length * 8);
  for (const n of array) w.f64(n);
}

/** The rest of an array from its first hole on: runs of holes, and elements, in time and bytes of what is there. */
function writeSparse(e: EncodeState, array: readonly unknown[], from: number, length: number): void {
  const w = e.writer;
  let next = from;
  const holes = (until: number): void => {
    if (until === next) return;
    w.u8(tag.HOLES);
    w.varint(until - next);
  };
  for (const key of Object.keys(array)) {
    const index = Number(key);
    // Names come after the indices.
    if (!(index < length) || String(index) !== key || index < 0) break;
    if (index < next) continue;
    holes(index);
    next = index + 1;
    try {
      e.value(array[index]);
    } catch (error) {
      throw under(error, `[${key}]`);
    }
  }
  holes(length);
}

/** Numbers of which at least half need eight bytes anyway. */
function isMostlyFloats(array: readonly unknown[]): boolean {
  const length = array.length;
  let floats = 0;
  for (let i = 0; i < length; i++) {
    const n = array[i];
    if (typeof n !== "number") return false;
    if ((n | 0) !== n) floats++;
  }
  return floats * 2 >= length;
}
