import { SkyError } from "../errors/sky-error.ts";
import type { FnOptions } from "./options.ts";
import { isPending, type Pending, type PendingResult } from "./pending.ts";

const MEMBERS: unique symbol = Symbol.for("skyward.group.members") as never;

declare const RESULTS: unique symbol;

/** Several pendings dispatched together: `pool.run(sky.gather(a, b))` gives their results, position by position. */
export interface Group<R extends readonly unknown[]> {
  /** Only for the types: what the group gives. */
  readonly [RESULTS]: { readonly results: R };
  readonly length: number;
  /** The same calls with other options, for each of them. */
  with(options: FnOptions): Group<R>;
}

class PendingGroup {
  readonly [MEMBERS]: readonly Pending<unknown>[];

  constructor(members: readonly Pending<unknown>[]) {
    this[MEMBERS] = Object.freeze(members);
    Object.freeze(this);
  }

  get length(): number {
    return this[MEMBERS].length;
  }

  with(options: FnOptions): PendingGroup {
    return new PendingGroup(this[MEMBERS].map((pending) => pending.with(options)));
  }
}

/**
 * A group of pendings: `gather(a(1), b("x"))` keeps a tuple's types; `gather(pendings)` takes any iterable.
 * @throws SkyError SKY_BAD_CALL for anything that is not a pending, naming its position.
 */
export function gather<const P extends readonly Pending<unknown>[]>(
  ...pendings: P
): Group<{ -readonly [K in keyof P]: PendingResult<P[K]> }>;
export function gather<R>(pendings: Iterable<Pending<R>>): Group<R[]>;
export function gather(...given: readonly unknown[]): unknown {
  const [first] = given;
  const list = given.length === 1 && !isPending(first) && isIterable(first) ? [...first] : given;
  for (const [index, item] of list.entries()) {
    if (!isPending(item)) throw notPending(item, index);
  }
  return new PendingGroup([...(list as readonly Pending<unknown>[])]);
}

export function isGroup(value: unknown): value is Group<unknown[]> {
  return typeof value === "object" && value !== null && MEMBERS in value;
}

export function membersOf(group: Group<readonly unknown[]>): readonly Pending<unknown>[] {
  return (group as unknown as PendingGroup)[MEMBERS];
}

function isIterable(value: unknown): value is Iterable<unknown> {
  return typeof value === "object" && value !== null && Symbol.iterator in value;
}

function notPending(item: unknown, index: number): SkyError {
  const what =
    typeof item === "function"
      ? `the function ${item.name || "(without a name)"}, not a call of it`
      : item instanceof Promise
        ? "a promise, so the function ran already"
        : `${item === null ? "null" : typeof item}`;
  return new SkyError("SKY_BAD_CALL", `gather takes pending calls; item ${index} is ${what}.`, {
    hint: "Pass what calling a sky.fn function returned: sky.gather(train(0.1), train(0.3)).",
  });
}
