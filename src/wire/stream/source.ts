import type { AnyFunction } from "../../values/hooks.ts";
import { ownCodec, registeredClass } from "../../values/registry.ts";

/** What a stream is read from. */
export type Source = AsyncIterable<unknown> | Iterator<unknown>;

/**
 * Whether a whole argument or result streams: what can be iterated asynchronously, and iterators such as generators.
 * An instance whose class says how it travels is a value.
 */
export function isSource(value: unknown): value is Source {
  if (typeof value !== "object" || value === null) return false;
  const { next } = value as Partial<Iterator<unknown>>;
  const streams = Symbol.asyncIterator in value || (typeof next === "function" && Symbol.iterator in value);
  if (!streams) return false;
  const { constructor } = value as { readonly constructor?: unknown };
  return typeof constructor !== "function" || !hasCodec(constructor as AnyFunction);
}

function hasCodec(constructor: AnyFunction): boolean {
  return registeredClass(constructor) !== undefined || ownCodec(constructor) !== undefined;
}

type Step = IteratorResult<unknown>;

/** An iterator over a source; what a synchronous one gives may be promises. */
export interface Reader {
  readonly sync: boolean;
  readonly iterator: { next(): Step | PromiseLike<Step>; return?(): unknown };
}

export function openSource(source: Source): Reader {
  if (Symbol.asyncIterator in source) return { sync: false, iterator: source[Symbol.asyncIterator]() };
  return { sync: true, iterator: source };
}
