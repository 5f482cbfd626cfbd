import { pathToFileURL } from "node:url";
import { notOnNode } from "./not-on-node.ts";

// The same brands as at home, so that a function that travelled is known as one wherever it is looked at.
const BODY = Symbol.for("skyward.fn.body");
const OPTIONS = Symbol.for("skyward.fn.options");
const FN = Symbol.for("skyward.pending.fn");
const ARGS = Symbol.for("skyward.pending.args");
const PENDING_OPTIONS = Symbol.for("skyward.pending.options");
const MEMBERS = Symbol.for("skyward.group.members");

type Body<A extends readonly unknown[], R> = (...args: A) => R;
type Options = Readonly<Record<string, unknown>>;

/** `sky.fn` on a node: calling it describes a call that nothing here can dispatch; `.local` runs the body. */
export interface InertFn<A extends readonly unknown[], R> {
  (...args: A): InertPending<R>;
  local(...args: A): R;
  with(options: Options): InertFn<A, R>;
  /** @throws SkyError SKY_NOT_ON_NODE */
  explain(): never;
  readonly name: string;
}

export interface InertPending<R> {
  with(options: Options): InertPending<R>;
  local(): R;
}

export interface InertGroup {
  readonly length: number;
  with(options: Options): InertGroup;
}

export function fn<A extends readonly unknown[], R>(body: Body<A, R>, options: Options = {}): InertFn<A, R> {
  // Already one: sky.fn(train, { timeout }) wraps the same body.
  const inner = BODY in body ? (body[BODY] as Body<A, R>) : body;
  const call = (...args: A): InertPending<R> => pending(call as unknown as InertFn<A, R>, args, options);
  const named = typeof options["name"] === "string" ? options["name"] : inner.name;
  return Object.defineProperties(call, {
    [BODY]: { value: inner },
    [OPTIONS]: { value: options },
    local: { value: (...args: A): R => inner(...args) },
    explain: { value: notOnNode("fn().explain") },
    with: { value: (more: Options): InertFn<A, R> => fn(inner, { ...options, ...more }) },
    name: { value: named, configurable: true },
    length: { value: inner.length, configurable: true },
  }) as unknown as InertFn<A, R>;
}

/** `sky.module` on a node: like `fn`, of what the module exports. */
export function module(
  from: { readonly url: string } | string,
  specifier: string,
  exported = "default",
  options: Options = {},
): InertFn<unknown[], Promise<unknown>> {
  const base = typeof from === "object" ? from.url : pathToFileURL(from).href;
  const target = /^\.{0,2}\//.test(specifier) ? new URL(specifier, base).href : specifier;
  const body = async (...args: unknown[]): Promise<unknown> => {
    const all = (await import(target)) as Record<
      string,
      Body<unknown[], unknown> & { [BODY]?: Body<unknown[], unknown> }
    >;
    const found = all[exported]!;
    return (found[BODY] ?? found)(...args);
  };
  return fn(body, { name: exported === "default" ? specifier : exported, ...options });
}

export function gather(...given: readonly unknown[]): InertGroup {
  const [first] = given;
  const iterable = given.length === 1 && typeof first === "object" && first !== null && Symbol.iterator in first;
  return group(Object.freeze(iterable ? [...(first as Iterable<unknown>)] : [...given]));
}

function pending<A extends readonly unknown[], R>(of: InertFn<A, R>, args: A, options: Options): InertPending<R> {
  return Object.freeze({
    [FN]: of,
    [ARGS]: args,
    [PENDING_OPTIONS]: options,
    with: (more: Options) => pending(of, args, { ...options, ...more }),
    local: () => of.local(...args),
  });
}

function group(members: readonly unknown[]): InertGroup {
  return Object.freeze({
    [MEMBERS]: members,
    length: members.length,
    with: (options: Options) =>
      group(Object.freeze(members.map((one) => (one as InertPending<unknown>).with(options)))),
  });
}
