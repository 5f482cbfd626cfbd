import type { AnyFunction } from "./hooks.ts";
import { registeredClass } from "./registry.ts";

const NAMES = [
  "Error",
  "TypeError",
  "RangeError",
  "SyntaxError",
  "ReferenceError",
  "EvalError",
  "URIError",
  "AggregateError",
  "SuppressedError",
  "DOMException",
];

interface Constructor {
  readonly name: string;
  readonly prototype: object;
}

const byName = new Map<string, Constructor>();
const byPrototype = new Map<object, string>();
for (const name of NAMES) {
  const constructor = (globalThis as unknown as Record<string, Constructor | undefined>)[name];
  if (constructor === undefined) continue;
  byName.set(name, constructor);
  byPrototype.set(constructor.prototype, name);
}

/** Classes that Node makes inside itself; nobody can name them, so what they extend is what users see. */
export const NODE_INTERNAL: ReadonlySet<string> = new Set([
  "NodeError",
  "SystemError",
  "AbortError",
  "HideStackFramesError",
]);

export function builtinError(name: string): Constructor | undefined {
  return byName.get(name);
}

export function isError(value: object): boolean {
  if (value instanceof Error) return true;
  return Object.prototype.toString.call(value) === "[object Error]";
}

const MAX_CLASSES = 32;
const MAX_NAME = 256;

/** Class names from the error's own up to the built-in one: ["MyError", "HttpError", "TypeError"]. */
export function classNames(error: object): string[] {
  const names: string[] = [];
  for (
    let p = Object.getPrototypeOf(error) as object | null;
    p !== null && names.length < MAX_CLASSES;
    p = Object.getPrototypeOf(p) as object | null
  ) {
    const builtin = byPrototype.get(p) ?? foreignName(p);
    if (builtin !== undefined) {
      names.push(builtin);
      break;
    }
    const constructor: unknown = Object.getOwnPropertyDescriptor(p, "constructor")?.value;
    if (typeof constructor !== "function") continue;
    const name: unknown = registeredClass(constructor as AnyFunction)?.id ?? constructor.name;
    if (typeof name === "string" && name !== "") names.push(name.slice(0, MAX_NAME));
  }
  return names.length > 0 ? names : ["Error"];
}

/** A built-in error class of another realm. */
function foreignName(prototype: object): string | undefined {
  const constructor: unknown = Object.getOwnPropertyDescriptor(prototype, "constructor")?.value;
  if (typeof constructor !== "function" || !byName.has(constructor.name)) return undefined;
  return Function.prototype.toString.call(constructor).includes("[native code]") ? constructor.name : undefined;
}
