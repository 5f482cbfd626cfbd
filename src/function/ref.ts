import { SkyError } from "../errors/sky-error.ts";
import { Refusal } from "../values/refusal.ts";
import { register } from "../values/registry.ts";

declare const VALUE: unique symbol;

/**
 * A value that was given to a pool once: it stands for a whole argument of that pool's calls, and crosses to each node
 * once, whoever uses it. Its bytes stay in this process until it is released.
 */
export interface Ref<T> extends Disposable {
  /** Only for the types: what it stands for. */
  readonly [VALUE]: { readonly value: T };
  /** How many bytes the encoded value has. */
  readonly bytes: number;
  /** Nodes forget the value when the calls that use it have ended. Idempotent; `using` does the same. */
  release(): void;
}

/** Each argument itself, or a `Ref` that stands for it. */
export type OrRefs<A extends readonly unknown[]> = { [K in keyof A]: A[K] | Ref<A[K]> };

/** What a pool knows of its `Ref`s. */
export interface RefOwner {
  released(ref: PutRef): void;
  /** A copy of what it stands for. @throws SkyError SKY_BAD_REF */
  valueOf(ref: PutRef): unknown;
}

let made = false;

/** Whether there is any `Ref` in this process: calls look for them only then. */
export function refsExist(): boolean {
  return made;
}

/** The object behind a `Ref`. */
export class PutRef {
  readonly bytes: number;
  readonly #owner: RefOwner;
  #released = false;

  constructor(owner: RefOwner, bytes: number) {
    made = true;
    this.#owner = owner;
    this.bytes = bytes;
  }

  get released(): boolean {
    return this.#released;
  }

  value(): unknown {
    return this.#owner.valueOf(this);
  }

  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#owner.released(this);
  }

  [Symbol.dispose](): void {
    this.release();
  }
}

/** The arguments of a call that runs here: copies of their values in place of each `Ref`. @throws SkyError SKY_BAD_REF */
export function withoutRefs(args: readonly unknown[]): readonly unknown[] {
  return made ? args.map((arg) => (arg instanceof PutRef ? arg.value() : arg)) : args;
}

// What is met inside a value, or by another pool.
register(PutRef, {
  id: "skyward.Ref",
  encode(): never {
    throw new Refusal(
      "Ref",
      "a Ref stands for a whole argument of the pool that made it",
      "Pass it as an argument of its own, to a call of the pool whose put() made it.",
      undefined,
      "SKY_BAD_REF",
    );
  },
  decode(): never {
    throw new SkyError("SKY_VALUE_MALFORMED", "A Ref can't arrive.");
  },
});
