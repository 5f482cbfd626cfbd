import { SkyError } from "../../errors/sky-error.ts";
import { PutRef, type Ref, type RefOwner } from "../../function/ref.ts";
import { decode } from "../../values/decode.ts";
import { letGo } from "../../values/spare-memory.ts";
import { totalBytes } from "../../wire/parts.ts";

/** A value that several tasks use: what one call uses many times, or what `pool.put` was given. */
export interface SharedValue {
  readonly id: number;
  /** The encoded value, then its externals; they don't change. */
  readonly parts: readonly Uint8Array[];
  readonly bytes: number;
  /** SHA-256 of each block that has been sent to some node. */
  readonly hashes: Buffer[];
  /** Segments and `Ref`s that need it. */
  users: number;
}

/** The shared values of a pool. What nobody needs any more is forgotten, here and on the nodes. */
export class SharedValues implements RefOwner {
  readonly #forget: (share: SharedValue) => void;
  readonly #byRef = new WeakMap<PutRef, SharedValue>();
  /** Values behind a `Ref`, by their size: equal ones are one. */
  readonly #put = new Map<number, SharedValue[]>();
  readonly #gone = new WeakSet<SharedValue>();
  #nextId = 1;

  constructor(forget: (share: SharedValue) => void) {
    this.#forget = forget;
  }

  make(parts: readonly Uint8Array[]): SharedValue {
    return { id: this.#nextId++, parts, bytes: totalBytes(parts), hashes: [], users: 0 };
  }

  ref(parts: readonly Uint8Array[]): Ref<never> {
    const bytes = totalBytes(parts);
    const same = this.#put.get(bytes) ?? [];
    let share = same.find((one) => equal(one.parts, parts));
    if (share) letGo(parts);
    else {
      share = this.make(parts);
      this.#put.set(bytes, [...same, share]);
    }
    share.users++;
    const ref = new PutRef(this, bytes);
    this.#byRef.set(ref, share);
    return ref as unknown as Ref<never>;
  }

  /** @throws SkyError SKY_BAD_REF for one that was released, or that another pool made */
  of(ref: PutRef): SharedValue {
    const share = this.#byRef.get(ref);
    if (!share)
      throw new SkyError("SKY_BAD_REF", "the Ref was made by another pool", {
        hint: "A Ref belongs to the pool whose put() made it: put the value into this pool too.",
      });
    if (ref.released)
      throw new SkyError("SKY_BAD_REF", "the Ref has been released", {
        hint: "Release it after the last call that uses it was made; calls that were made keep what they need.",
      });
    return share;
  }

  valueOf(ref: PutRef): unknown {
    const [head, ...externals] = this.of(ref).parts;
    return decode(head!, 0, head!.length, { resolveExternal: (index) => new Uint8Array(externals[index]!) });
  }

  released(ref: PutRef): void {
    this.drop([this.#byRef.get(ref)!]);
  }

  drop(shares: Iterable<SharedValue>): void {
    for (const share of shares) {
      if (--share.users > 0) continue;
      const same = this.#put.get(share.bytes)?.filter((one) => one !== share) ?? [];
      if (same.length > 0) this.#put.set(share.bytes, same);
      else this.#put.delete(share.bytes);
      this.#forget(share);
      // The call that is being made may take it up again.
      setImmediate(() => {
        if (share.users > 0 || this.#gone.has(share)) return;
        this.#gone.add(share);
        letGo(share.parts);
      });
    }
  }
}

function equal(a: readonly Uint8Array[], b: readonly Uint8Array[]): boolean {
  return a.length === b.length && a.every((part, index) => Buffer.compare(part, b[index]!) === 0);
}
