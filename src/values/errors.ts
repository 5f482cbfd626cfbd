import { RemoteError } from "../errors/remote-error.ts";
import { classNames, isError } from "./builtin-errors.ts";
import type { ByteWriter } from "./byte-writer.ts";
import { decode } from "./decode.ts";
import { encode, encodeThrown } from "./encode.ts";
import { readGuarded } from "./encode/objects.ts";
import type { DecodeHooks, EncodeHooks } from "./hooks.ts";
import { MAX_STACK } from "./limits.ts";

/**
 * Appends what a function threw: an error, or any value, since `throw "text"` must arrive as that text. Never fails: what
 * can't travel is replaced by words, and where nothing is left, by the error that says so.
 */
export function encodeError(thrown: unknown, writer: ByteWriter, hooks?: EncodeHooks): void {
  try {
    encodeThrown(thrown, writer, hooks);
  } catch (failure) {
    const isObject = typeof thrown === "object" && thrown !== null;
    encode(isObject && isError(thrown) ? bare(thrown, failure) : failure, writer);
  }
}

/** What is left of an error whose properties are too large: the rest is told by its cause. */
function bare(error: object, failure: unknown): RemoteError {
  const text = (key: string): string => String(readGuarded(error, key)).slice(0, MAX_STACK);
  const left = new RemoteError(text("message"), { name: text("name"), classes: classNames(error) });
  for (const [key, value] of [
    ["stack", text("stack")],
    ["cause", failure],
  ] as const) {
    Object.defineProperty(left, key, { value, writable: true, configurable: true });
  }
  return left;
}

/**
 * What `encodeError` appended. An error arrives in its own class where that is built in, registered, or given by
 * `hooks.errorClass`; else as `RemoteError`. No constructor of a user's class is run.
 * @throws SKY_VALUE_MALFORMED, SKY_VALUE_LIMIT
 */
export function decodeError(buf: Uint8Array, start: number, end: number, hooks?: DecodeHooks): unknown {
  return decode(buf, start, end, hooks);
}
