import { types } from "node:util";
import { isPrototypeOf } from "./realm.ts";

/** Which parts of an object are used: each key leads on, or to a part that is used as a whole. */
export type Paths = { readonly [key: string]: Paths } | typeof WHOLE;

export const WHOLE: unique symbol = Symbol("whole");

/** The parts that all these paths name; a path that is the start of another takes that in. */
export function joinPaths(paths: Iterable<readonly string[]>): Paths {
  const root: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  for (const path of paths) {
    if (path.length === 0) return WHOLE;
    let at = root;
    for (const [index, key] of path.entries()) {
      const next = at[key];
      if (next === WHOLE) break;
      if (index === path.length - 1) at[key] = WHOLE;
      else at = (at[key] ??= Object.create(null)) as Record<string, unknown>;
    }
  }
  return root as Paths;
}

export function samePaths(a: Paths | undefined, b: Paths): boolean {
  if (a === undefined || a === WHOLE || b === WHOLE) return a === b;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => key in b && samePaths(a[key], b[key]!));
}

/**
 * A copy of `value` that has only these parts. It stops where something other than plain data stands: a Map, an
 * instance, an array are taken as a whole. What is used whole is the thing itself and no copy.
 */
export function partsOf(value: unknown, paths: Paths): unknown {
  if (paths === WHOLE || !isPlain(value)) return value;
  const copy: object = Object.getPrototypeOf(value) === null ? (Object.create(null) as object) : {};
  for (const [key, inner] of Object.entries(paths)) {
    if (Object.hasOwn(value, key)) {
      const part = partsOf((value as Record<string, unknown>)[key], inner);
      Object.defineProperty(copy, key, { value: part, writable: true, enumerable: true, configurable: true });
    } else if (key in value) {
      return value; // a method that every object has: who calls it may look at the rest
    }
  }
  return Object.isFrozen(value) ? Object.freeze(copy) : copy;
}

function isPlain(value: unknown): value is object {
  if (typeof value !== "object" || value === null || types.isProxy(value) || Array.isArray(value)) return false;
  const proto: unknown = Object.getPrototypeOf(value);
  return proto === null || isPrototypeOf(proto, Object);
}
