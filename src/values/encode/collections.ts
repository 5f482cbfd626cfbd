import { entrySegment, Refusal, under } from "../refusal.ts";
import * as tag from "../tags.ts";
import type { EncodeState } from "./state.ts";

const sizeOfMap = getter(Map.prototype, "size");
const sizeOfSet = getter(Set.prototype, "size");

export function writeMap(e: EncodeState, map: object): void {
  const size = sizeOfMap(map);
  e.writer.u8(tag.MAP);
  e.writer.varint(size);
  e.enter();
  let n = 0;
  for (const [key, value] of Map.prototype.entries.call(map)) {
    if (n++ === size) break;
    let inKey = true;
    try {
      e.value(key);
      inKey = false;
      e.value(value);
    } catch (error) {
      throw under(error, inKey ? `.keys()[${n - 1}]` : entrySegment(key));
    }
  }
  if (n !== size) throw changed("Map");
  e.depth--;
}

export function writeSet(e: EncodeState, set: object): void {
  const size = sizeOfSet(set);
  e.writer.u8(tag.SET);
  e.writer.varint(size);
  e.enter();
  let n = 0;
  for (const value of Set.prototype.values.call(set)) {
    if (n++ === size) break;
    try {
      e.value(value);
    } catch (error) {
      throw under(error, `.values()[${n - 1}]`);
    }
  }
  if (n !== size) throw changed("Set");
  e.depth--;
}

function changed(label: string): Refusal {
  return new Refusal(label, "a getter changed it while it was encoded", "Pass plain data.");
}

/** The prototype's own getter, which looks at the object itself and not at what a subclass says. */
function getter(prototype: object, name: string): (object: object) => number {
  const get = Object.getOwnPropertyDescriptor(prototype, name)?.get as (this: object) => number;
  return (object) => get.call(object);
}
