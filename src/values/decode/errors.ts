import { RemoteError } from "../../errors/remote-error.ts";
import { SkyError } from "../../errors/sky-error.ts";
import { builtinError, NODE_INTERNAL } from "../builtin-errors.ts";
import * as flag from "../error-flags.ts";
import { registeredId } from "../registry.ts";
import { define, readProps } from "./objects.ts";
import type { DecodeState } from "./state.ts";

export function readError(d: DecodeState): unknown {
  const flags = d.u8();
  const names: string[] = [];
  for (let n = d.count(); n > 0; n--) names.push(d.text());
  const name = d.text();
  d.enter();
  const error = names.at(-1) === "DOMException" ? makeDomException(d, flags, name) : makeError(d, flags, names, name);
  if (flags & flag.STACK) define(error, "stack", mapped(d, d.text()), false);
  if (flags & flag.CAUSE) define(error, "cause", d.value(), false);
  if (flags & flag.ERRORS) define(error, "errors", d.value(), false);
  readProps(d, error);
  d.leave();
  return error;
}

function makeError(d: DecodeState, flags: number, names: readonly string[], name: string): object {
  const error = d.add(create(d, flags, names, name));
  if (flags & flag.MESSAGE) define(error, "message", d.value(), false);
  if (flags & flag.NAME) define(error, "name", name, false);
  return error;
}

function create(d: DecodeState, flags: number, names: readonly string[], name: string): object {
  const prototype = userPrototype(d, names);
  if (flags & flag.SKY) {
    // Its code, hint and details are among the properties.
    const error = withoutStack(() => new SkyError("SKY_VALUE_MALFORMED", ""));
    return prototype === undefined ? error : (Object.setPrototypeOf(error, prototype) as object);
  }
  const error = withoutStack(() => new Error());
  if (prototype !== undefined) return Object.setPrototypeOf(error, prototype) as object;
  const own = names.find((each) => !NODE_INTERNAL.has(each)) ?? "Error";
  const builtin = builtinError(own);
  if (builtin === undefined) return withoutStack(() => new RemoteError("", { name, classes: names }));
  return Object.setPrototypeOf(error, builtin.prototype) as object;
}

/** The nearest of the error's classes that is known here. */
function userPrototype(d: DecodeState, names: readonly string[]): object | undefined {
  for (const name of names) {
    if (builtinError(name) !== undefined) continue;
    const found = d.hooks.errorClass?.(name) ?? registeredId(name)?.constructor;
    const prototype: unknown = typeof found === "function" ? found.prototype : undefined;
    if (typeof prototype === "object" && prototype !== null && prototype instanceof Error) return prototype;
  }
  return undefined;
}

/** The one built-in whose message and name can't be set afterwards. */
function makeDomException(d: DecodeState, flags: number, name: string): object {
  const slot = d.reserve();
  const message = flags & flag.MESSAGE ? d.value() : "";
  const error = withoutStack(() => new DOMException(typeof message === "string" ? message : "", name));
  d.fill(slot, error);
  return error;
}

function mapped(d: DecodeState, stack: string): string {
  if (d.hooks.mapStack === undefined) return stack;
  try {
    return d.hooks.mapStack(stack);
  } catch {
    // A stack that can't be mapped still tells more than none.
    return stack;
  }
}

/** Capturing a stack that is then replaced costs more than the rest of the error. */
function withoutStack<T>(make: () => T): T {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    return make();
  } finally {
    Error.stackTraceLimit = limit;
  }
}
