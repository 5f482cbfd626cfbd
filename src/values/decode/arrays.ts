import * as tag from "../tags.ts";
import { float64 } from "./numbers.ts";
import type { DecodeState } from "./state.ts";

/** Wider gaps than this make the array a dictionary, so that a few bytes can't ask for much memory. */
const SMALL_GAP = 64;
const ALIGN_FROM = 32;
const MAX_PLAIN = 2 ** 24;
const MAX_LENGTH = 2 ** 32 - 1;

export function readArray(d: DecodeState, length: number): unknown[] {
  if (length > MAX_LENGTH) throw d.malformed("an array is too long");
  const array: unknown[] = d.add([]);
  d.enter();
  for (let i = 0; i < length; i++) {
    if (d.peek() === tag.HOLES) {
      readSparse(d, array, i, length);
      break;
    }
    array.push(d.value());
  }
  d.leave();
  return array;
}

function readSparse(d: DecodeState, array: unknown[], from: number, length: number): void {
  let i = from;
  let isDictionary = false;
  while (i < length) {
    if (d.peek() === tag.HOLES) {
      d.pos++;
      const run = d.varint();
      if (run === 0 || run > length - i) throw d.malformed("a run of holes is longer than its array");
      i += run;
      if (run > SMALL_GAP && !isDictionary) {
        makeDictionary(array);
        isDictionary = true;
      }
    } else {
      array[i++] = d.value();
    }
  }
  array.length = length;
}

/** An index far out makes V8 keep the elements in a hash table, until they are dense. */
function makeDictionary(array: unknown[]): void {
  const { length } = array;
  array[MAX_LENGTH - 1] = 0;
  array.length = length;
}

export function readFloats(d: DecodeState): number[] {
  const length = d.count(8);
  const { buf } = d;
  const start = d.skip(length * 8);
  if (length < ALIGN_FROM) {
    const few: number[] = d.add([]);
    for (let at = start; at < d.pos; at += 8) few.push(float64(buf, at));
    return few;
  }
  // Longer ones than V8 keeps as plain memory would become hash tables.
  const array: number[] = d.add(length <= MAX_PLAIN ? new Array<number>(length) : []);
  // Aligned, they are read several times faster than byte by byte.
  const aligned = new Float64Array(length);
  buf.copy(new Uint8Array(aligned.buffer), 0, start, d.pos);
  for (let i = 0; i < length; i++) array[i] = aligned[i]!;
  return array;
}
