import type { Code } from "./code.ts";

type AnyFunction = (...args: never) => unknown;

const indexes = new WeakMap<Code, ReadonlyMap<unknown, number>>();

/** Of the functions and classes that both ends know, the index of each. */
export function knownIndex(code: Code): ReadonlyMap<unknown, number> {
  let index = indexes.get(code);
  if (index === undefined) {
    index = new Map(code.known.map((value: AnyFunction, at) => [value, at]));
    indexes.set(code, index);
  }
  return index;
}
