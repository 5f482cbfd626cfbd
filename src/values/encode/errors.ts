import { classNames } from "../builtin-errors.ts";
import { ERROR_DEPTH, MAX_STACK } from "../limits.ts";
import { under } from "../refusal.ts";
import * as tag from "../tags.ts";
import * as flag from "../error-flags.ts";
import { readGuarded, symbolKeys, writeProps } from "./objects.ts";
import { writeString } from "./scalars.ts";
import type { EncodeState } from "./state.ts";

const SKY = Symbol.for("skyward.error");
const REMOTE = Symbol.for("skyward.remote-error");

/**
 * An error always arrives: what of it can't travel, or throws when it is read, is replaced by a short text, so that the
 * failure is never hidden by a failure to tell it.
 */
export function writeError(e: EncodeState, error: object): void {
  const w = e.writer;
  const message = readGuarded(error, "message");
  const hasMessage = message !== "" || Object.hasOwn(error, "message");
  const stack = readGuarded(error, "stack");
  const name = readGuarded(error, "name");
  const cause = isHidden(error, "cause");
  const errors = isHidden(error, "errors");
  w.u8(tag.ERROR);
  w.u8(
    (hasMessage ? flag.MESSAGE : 0) |
      (typeof stack === "string" ? flag.STACK : 0) |
      (cause ? flag.CAUSE : 0) |
      (errors ? flag.ERRORS : 0) |
      (isHidden(error, "name") ? flag.NAME : 0) |
      (SKY in error ? flag.SKY : 0),
  );
  writeNames(e, error);
  writeString(w, typeof name === "string" ? name : "Error");
  const { maxDepth } = e;
  if (e.lenient++ === 0) e.maxDepth = Math.min(maxDepth, e.depth + ERROR_DEPTH);
  e.enter();
  if (hasMessage) part(e, message, ".message");
  if (typeof stack === "string") writeString(w, stack.slice(0, MAX_STACK));
  if (cause) part(e, readGuarded(error, "cause"), ".cause");
  if (errors) part(e, readGuarded(error, "errors"), ".errors");
  const own = Object.keys(error).filter((key) => key !== "message" && key !== "stack");
  for (const key of Object.getOwnPropertyNames(error)) if (!PARTS.has(key) && isHiddenData(error, key)) own.push(key);
  writeProps(e, error, [...own, ...(symbolKeys(error) ?? [])]);
  e.depth--;
  e.lenient--;
  e.maxDepth = maxDepth;
}

function writeNames(e: EncodeState, error: object): void {
  const remote = REMOTE in error ? readGuarded(error, "remoteClasses") : undefined;
  const names = Array.isArray(remote) && remote.length > 0 ? remote.map(String) : classNames(error);
  e.writer.varint(names.length);
  for (const name of names) writeString(e.writer, name);
}

function part(e: EncodeState, value: unknown, segment: string): void {
  try {
    e.value(value);
  } catch (error) {
    throw under(error, segment);
  }
}

/** Own properties that have a place of their own in the format. */
const PARTS: ReadonlySet<string> = new Set([
  "message",
  "stack",
  "cause",
  "errors",
  "name",
  "remoteName",
  "remoteClasses",
]);

/** Data that a class keeps out of sight, as zod does with `issues`; what begins with an underscore is its own business. */
function isHiddenData(error: object, key: string): boolean {
  const own = Object.getOwnPropertyDescriptor(error, key);
  return (
    own !== undefined &&
    own.enumerable === false &&
    "value" in own &&
    typeof own.value !== "function" &&
    !key.startsWith("_")
  );
}

/** An own property that does not show among the enumerable ones. */
function isHidden(error: object, key: string): boolean {
  return Object.hasOwn(error, key) && !Object.prototype.propertyIsEnumerable.call(error, key);
}
