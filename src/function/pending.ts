import { type FnOptions, type ResolvedOptions, resolveOptions } from "./options.ts";
import type { AnyFn } from "./brand.ts";

const FN: unique symbol = Symbol.for("skyward.pending.fn") as never;
const ARGS: unique symbol = Symbol.for("skyward.pending.args") as never;
const OPTIONS: unique symbol = Symbol.for("skyward.pending.options") as never;

declare const RESULT: unique symbol;

/**
 * A call that has not run: which function, which arguments, which options. Frozen, and never thenable: dispatch it
 * with `pool.run`, `pool.broadcast` or `sky.gather`.
 */
export interface Pending<R> {
  /** Only for the types: what the call gives. */
  readonly [RESULT]: { readonly result: R };
  /** The same call with other options. */
  with(options: FnOptions): Pending<R>;
  /** Runs the call here and now, as `fn.local` does; a `Ref` gives a copy of its value. */
  local(): R | Promise<R>;
}

/** What a pending gives, as a type. */
export type PendingResult<P> = P extends Pending<infer R> ? R : never;

class PendingCall {
  readonly [FN]: AnyFn;
  readonly [ARGS]: readonly unknown[];
  readonly [OPTIONS]: ResolvedOptions;

  constructor(fn: AnyFn, args: readonly unknown[], options: ResolvedOptions) {
    this[FN] = fn;
    this[ARGS] = args;
    this[OPTIONS] = options;
    Object.freeze(this);
  }

  with(options: FnOptions): PendingCall {
    return new PendingCall(this[FN], this[ARGS], resolveOptions(options, this[OPTIONS]));
  }

  local(): unknown {
    return this[FN].local(...this[ARGS]);
  }
}

/** One object per call, made often: nothing is copied, checked or looked up here. */
export function makePending(fn: AnyFn, args: readonly unknown[], options: ResolvedOptions): Pending<never> {
  return new PendingCall(fn, args, options) as unknown as Pending<never>;
}

/** Whether `value` came from calling a `sky.fn` function, of this copy of the package or another. */
export function isPending(value: unknown): value is Pending<unknown> {
  return typeof value === "object" && value !== null && FN in value && ARGS in value;
}

export function fnOf(pending: Pending<unknown>): AnyFn {
  return (pending as unknown as PendingCall)[FN];
}

export function argsOf(pending: Pending<unknown>): readonly unknown[] {
  return (pending as unknown as PendingCall)[ARGS];
}

export function optionsOf(pending: Pending<unknown>): ResolvedOptions {
  return (pending as unknown as PendingCall)[OPTIONS];
}
