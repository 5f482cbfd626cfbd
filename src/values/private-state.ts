import type { AnyFunction } from "./hooks.ts";

const known = new WeakMap<object, boolean>();
// `this.#x`, `#x in other`, and what compilers make of them for older targets.
const PRIVATE =
  /[\w$)\]]\s*\??\.#[\p{ID_Start}$_]|#[\p{ID_Start}$_][\p{ID_Continue}$]*\s+in\b|__private(?:Add|Get|Set|Method)\(|_classPrivate\w+\(|__classPrivateField\w+\(/u;
const NOT_CODE = /\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/g;

/**
 * Whether instances of the class keep state in private fields, which cannot be copied from outside: an instance rebuilt
 * without them fails far from the cause. Reads the source of the class and of those it extends.
 */
export function hasPrivateState(constructor: AnyFunction): boolean {
  const cached = known.get(constructor);
  if (cached !== undefined) return cached;
  let found = false;
  for (let c: unknown = constructor; typeof c === "function" && !found; c = Object.getPrototypeOf(c)) {
    if (c === Function.prototype) break;
    found = PRIVATE.test(Function.prototype.toString.call(c).replace(NOT_CODE, " "));
  }
  known.set(constructor, found);
  return found;
}
