import { SkyError } from "../errors/sky-error.ts";
import { type AnyFn, BODY, isFn, OPTIONS } from "./brand.ts";
import { checking } from "./checking.ts";
import type { Explanation } from "./explain/explanation.ts";
import { nameOf } from "./name.ts";
import { type FnOptions, type ResolvedOptions, resolveOptions } from "./options.ts";
import { makePending, type Pending } from "./pending.ts";
import { type OrRefs, withoutRefs } from "./ref.ts";
import type { ResultOf } from "./stream.ts";

/** A function that a pool can run. Calling it runs nothing: it describes a call. */
export interface Fn<A extends readonly unknown[], R> {
  /** Each argument may be a `Ref` from `pool.put` in place of the value. */
  (...args: OrRefs<A>): Pending<ResultOf<R>>;
  /** Runs the body here, as if it had never been wrapped; a `Ref` gives a copy of its value. */
  local(...args: OrRefs<A>): R;
  /** The same function with other options. */
  with(options: FnOptions): Fn<A, R>;
  /**
   * What would travel with the function, name by name, with sizes and reasons: captured now, without a pool. What can't
   * travel is told in `refused`, not thrown. `String(explanation)` is a table.
   */
  explain(): Promise<Explanation>;
  /** Its own name, else its variable's, else `file:line`. */
  readonly name: string;
}

/** A function with type parameters: calls keep them; TypeScript loses them on a type that has members. */
export type GenericFn<A extends readonly unknown[], R> = (...args: A) => Pending<ResultOf<R>>;

type Body = (...args: never) => unknown;

type Same<X, Y> = (<G>() => G extends X ? 1 : 2) extends <G>() => G extends Y ? 1 : 2 ? true : false;

type ArgsOf<F> = F extends Body ? Parameters<F> : never;
type ReturnOf<F> = F extends Body ? ReturnType<F> : never;

/**
 * `unknown` for a function with one plain signature, `never` for one with type parameters or overloads, which the other
 * form of `fn` takes. `F` has no constraint anywhere: that would be a signature for TypeScript to fit type parameters
 * into, and they would be gone. While TypeScript has not looked at the body yet, `F` is `unknown`.
 */
type Plain<F> = unknown extends F
  ? unknown
  : Same<F, (...args: ArgsOf<F>) => ReturnOf<F>> extends true
    ? unknown
    : never;

/**
 * Makes a function that a pool can run.
 *
 * ```ts
 * const train = sky.fn(async (lr: number) => ({ lr, loss: await fit(lr) }), { timeout: "10m" });
 * await pool.run(train(0.1));
 * ```
 *
 * The body travels with what it captures: imports as imports, functions and classes as source, plain values by value.
 * @throws SkyError SKY_BAD_OPTION, SKY_BAD_DURATION, SKY_BAD_CALL
 */
export function fn<F>(body: F & Plain<F>, options?: FnOptions): Fn<ArgsOf<F>, ReturnOf<F>>;
export function fn<A extends readonly unknown[], R>(body: (...args: A) => R, options?: FnOptions): GenericFn<A, R>;
export function fn(body: unknown, options?: FnOptions): unknown {
  if (typeof body !== "function") {
    throw new SkyError("SKY_BAD_CALL", `sky.fn takes a function; got ${body === null ? "null" : typeof body}.`, {
      hint: "Write sky.fn(async (x: number) => ...).",
    });
  }
  if (isClass(body)) {
    throw new SkyError("SKY_BAD_CALL", `sky.fn takes a function; got the class ${body.name || "without a name"}.`, {
      hint: `Write sky.fn((...args) => new ${body.name || "TheClass"}(...args)).`,
    });
  }
  if (isFn(body)) return options === undefined ? body : body.with(options);
  const made = make(body as AnyFn[typeof BODY], resolveOptions(options));
  checking()?.made(made);
  return made;
}

function make(body: AnyFn[typeof BODY], options: ResolvedOptions): AnyFn {
  const call = (...args: readonly unknown[]): Pending<unknown> => makePending(call as unknown as AnyFn, args, options);
  return Object.defineProperties(call, {
    [BODY]: { value: body },
    [OPTIONS]: { value: options },
    local: { value: (...args: readonly unknown[]): unknown => body(...withoutRefs(args)) },
    explain: { value: () => import("./explain/explain.ts").then(({ explain }) => explain(call as unknown as AnyFn)) },
    with: { value: (more: FnOptions): AnyFn => make(body, resolveOptions(more, options)) },
    name: { get: (): string => options.name ?? nameOf(body), configurable: true },
    length: { value: body.length, configurable: true },
  }) as unknown as AnyFn;
}

/** Only of classes, and of constructors that are native code, is `prototype` fixed. */
function isClass(body: object): boolean {
  return Object.getOwnPropertyDescriptor(body, "prototype")?.writable === false;
}
