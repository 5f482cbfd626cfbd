import { types } from "node:util";
import { eachItem } from "./each-item.ts";
import { PutRef } from "../ref.ts";
import { wellKnown } from "./intrinsics.ts";
import { isPrototypeOf } from "./realm.ts";

type AnyFunction = (...args: never) => unknown;

/** Code that is met in data, and whether as the class of an instance. */
export type FoundCode = ReadonlyMap<AnyFunction, "function" | "class">;

/** After this many objects each is remembered, in case they lead in a circle. */
const TRUSTED = 1000;

/** Functions in arguments, and classes of instances, that the other end does not know by itself. */
export function codeIn(values: unknown, isKnown: (value: AnyFunction) => boolean): FoundCode {
  const found = new Map<AnyFunction, "function" | "class">();
  const open: unknown[] = [];
  const push = (value: unknown): void => {
    if ((typeof value === "object" && value !== null) || typeof value === "function") open.push(value);
  };
  const seen = new Set<object>();
  let visited = 0;
  push(values);
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (typeof value === "function") {
      if (!isKnown(value as AnyFunction)) found.set(value as AnyFunction, "function");
      continue;
    }
    const object = value as object;
    if (object instanceof PutRef) continue;
    if (++visited > TRUSTED) {
      if (seen.has(object)) continue;
      seen.add(object);
    }
    if (Array.isArray(object)) {
      eachItem(object, (item) => {
        if (typeof item !== "number") push(item);
      });
      continue;
    }
    const constructor = userClassOf(object);
    if (constructor === false) continue;
    if (constructor !== undefined && !isKnown(constructor)) found.set(constructor, "class");
    if (types.isMap(object)) for (const entry of object) entry.forEach(push);
    else if (types.isSet(object)) object.forEach(push);
    for (const key of Object.keys(object)) push(read(object, key));
  }
  return found;
}

/** The class of the program that an object is an instance of; undefined for plain data, false for what has no insides. */
function userClassOf(object: object): AnyFunction | false | undefined {
  if (types.isProxy(object)) return false;
  const prototype = Object.getPrototypeOf(object) as { readonly constructor?: unknown } | null;
  if (prototype === null || isPrototypeOf(prototype, Object)) return undefined;
  if (prototype === Map.prototype || prototype === Set.prototype) return undefined;
  const { constructor } = prototype;
  return typeof constructor === "function" && isUsers(constructor as AnyFunction)
    ? (constructor as AnyFunction)
    : false;
}

const users = new WeakMap<AnyFunction, boolean>();

function isUsers(constructor: AnyFunction): boolean {
  let known = users.get(constructor);
  if (known === undefined) {
    const isNative = /\{\s*\[native code\]\s*\}$/.test(Function.prototype.toString.call(constructor));
    known = !isNative && !types.isProxy(constructor) && wellKnown(constructor) === undefined;
    users.set(constructor, known);
  }
  return known;
}

function read(object: object, key: string): unknown {
  try {
    return (object as Record<string, unknown>)[key];
  } catch {
    return undefined; // the encoder says so, with the way to it
  }
}
