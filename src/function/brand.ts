import type { FnOptions, ResolvedOptions } from "./options.ts";
import type { Pending } from "./pending.ts";

// The same in each copy of the package, so that a function made by one is known to another.
export const BODY: unique symbol = Symbol.for("skyward.fn.body") as never;
export const OPTIONS: unique symbol = Symbol.for("skyward.fn.options") as never;

/** Any function made by `fn`, as the inside of the product handles it. */
export interface AnyFn {
  (...args: readonly unknown[]): Pending<unknown>;
  local(...args: readonly unknown[]): unknown;
  with(options: FnOptions): AnyFn;
  readonly name: string;
  readonly [BODY]: (...args: readonly unknown[]) => unknown;
  readonly [OPTIONS]: ResolvedOptions;
}

/** Whether `value` was made by `fn`, of this copy of the package or another. */
export function isFn(value: unknown): value is AnyFn {
  return typeof value === "function" && BODY in value;
}

export function bodyOf(made: AnyFn): (...args: readonly unknown[]) => unknown {
  return made[BODY];
}

export function fnOptionsOf(made: AnyFn): ResolvedOptions {
  return made[OPTIONS];
}
