import * as tag from "../tags.ts";
import type { DecodeState, Shape } from "./state.ts";
import { readKey } from "./strings.ts";

type Fields = Record<string | symbol, unknown>;

/** An object whose keys follow; both ends remember them. */
export function readObject(d: DecodeState, length: number, prototype?: object): Fields {
  if (length === 0) return d.add(create(prototype));
  if (length > d.remaining) throw d.malformed(`${length} keys are announced and ${d.remaining} bytes left`);
  const keys: string[] = [];
  let plain = true;
  for (let i = 0; i < length; i++) {
    const key = readKey(d);
    if (key in Object.prototype) plain = false;
    keys.push(key);
  }
  const shape = { keys, plain };
  d.addShape(shape);
  return readFields(d, shape, prototype);
}

export function readFields(d: DecodeState, shape: Shape, prototype?: object): Fields {
  const object = d.add(create(prototype));
  const { keys } = shape;
  d.enter();
  if (prototype === undefined && shape.plain) {
    for (let i = 0; i < keys.length; i++) object[keys[i]!] = d.value();
  } else {
    const over = prototype ?? Object.prototype;
    for (const key of keys) put(object, key, d.value(), over);
  }
  d.leave();
  return object;
}

export function readNullObject(d: DecodeState): Fields {
  const length = d.count(2);
  const keys: string[] = [];
  for (let i = 0; i < length; i++) keys.push(readKey(d));
  const object = d.add(Object.create(null) as Fields);
  d.enter();
  for (const key of keys) object[key] = d.value();
  d.leave();
  return object;
}

/** Reads a count, then keys and values, onto an object that is already there. */
export function readProps(d: DecodeState, object: object): void {
  const length = d.count(2);
  d.enter();
  for (let i = 0; i < length; i++) {
    const key = d.value();
    if (typeof key !== "string" && typeof key !== "symbol") throw d.malformed("a key is neither text nor symbol");
    define(object, key, d.value());
  }
  d.leave();
}

/** Whether a value that starts with this tag is an object made here and now, not one that somebody else holds. */
export function isFresh(first: number): boolean {
  if (first >= tag.FIX_ARRAY && first < tag.SHAPED_END) return true;
  return (first >= tag.ARRAY && first <= tag.BLOB) || first === tag.WITH_PROPS;
}

function create(prototype: object | undefined): Fields {
  return prototype === undefined ? {} : (Object.create(prototype) as Fields);
}

/** An own property, whatever the prototype has under that name: no setter runs, `__proto__` is a key like any other. */
function put(object: Fields, key: string, value: unknown, prototype: object): void {
  if (key in prototype) define(object, key, value);
  else object[key] = value;
}

export function define(object: object, key: string | symbol, value: unknown, enumerable = true): void {
  Object.defineProperty(object, key, { value, enumerable, writable: true, configurable: true });
}
