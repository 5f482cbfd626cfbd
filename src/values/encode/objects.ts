import { keySegment, threw, under } from "../refusal.ts";
import { travels } from "../symbols.ts";
import * as tag from "../tags.ts";
import { writeString } from "./scalars.ts";
import type { EncodeState } from "./state.ts";

const FIX = tag.FIX_OBJECT_END - tag.FIX_OBJECT;

/** A plain object, or the fields of an instance: own enumerable properties, getters read. */
export function writeObject(e: EncodeState, object: object): void {
  const symbols = symbolKeys(object);
  const keys = Object.keys(object);
  if (symbols !== undefined) e.writer.u8(tag.WITH_PROPS);
  writeKeys(e, keys);
  writeValues(e, object as Record<string, unknown>, keys, symbols);
}

export function writeNullObject(e: EncodeState, object: object): void {
  const symbols = symbolKeys(object);
  const keys = Object.keys(object);
  const w = e.writer;
  if (symbols !== undefined) w.u8(tag.WITH_PROPS);
  w.u8(tag.OBJECT_NULL);
  w.varint(keys.length);
  for (const key of keys) writeString(w, key);
  writeValues(e, object as Record<string, unknown>, keys, symbols);
}

/** The keys, or the slot of the same list of keys written before. */
function writeKeys(e: EncodeState, keys: readonly string[]): void {
  const w = e.writer;
  const n = keys.length;
  const slot = n === 0 ? -1 : e.shapeOf(keys);
  if (slot >= 0) {
    w.u8(tag.SHAPED | slot);
    return;
  }
  if (n < FIX) w.u8(tag.FIX_OBJECT | n);
  else {
    w.u8(tag.OBJECT);
    w.varint(n);
  }
  for (let i = 0; i < n; i++) writeString(w, keys[i]!);
  if (n > 0) e.addShape(keys);
}

/** The second half of WITH_PROPS: a count, then keys and values in turn. */
export function writeProps(e: EncodeState, object: object, keys: readonly (string | symbol)[]): void {
  e.writer.varint(keys.length);
  e.enter();
  for (const key of keys) {
    try {
      e.value(key);
      e.value(e.lenient > 0 ? readGuarded(object, key) : (object as Record<string | symbol, unknown>)[key]);
    } catch (error) {
      throw under(error, keySegment(key));
    }
  }
  e.depth--;
}

function writeValues(
  e: EncodeState,
  object: Record<string, unknown>,
  keys: readonly string[],
  symbols: readonly symbol[] | undefined,
): void {
  e.enter();
  let i = 0;
  try {
    for (; i < keys.length; i++) {
      const key = keys[i]!;
      e.value(e.lenient > 0 ? readGuarded(object, key) : object[key]);
    }
  } catch (error) {
    throw under(error, keySegment(keys[i]!));
  }
  e.depth--;
  if (symbols !== undefined) writeProps(e, object, symbols);
}

/** Own enumerable symbols that the other end has too; others are private notes of this process, and stay. */
export function symbolKeys(object: object): symbol[] | undefined {
  const symbols = Object.getOwnPropertySymbols(object);
  if (symbols.length === 0) return undefined;
  const kept = symbols.filter((s) => travels(s) && Object.prototype.propertyIsEnumerable.call(object, s));
  return kept.length === 0 ? undefined : kept;
}

/** A property whose getter may throw, where the rest must arrive all the same. */
export function readGuarded(object: object, key: string | symbol): unknown {
  try {
    return (object as Record<string | symbol, unknown>)[key];
  } catch (error) {
    return `[${threw(error).reason}]`;
  }
}
