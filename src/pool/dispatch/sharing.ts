import { PutRef } from "../../function/ref.ts";
import type { EncodeHooks } from "../../values/hooks.ts";
import { INLINE_MAX_BYTES } from "../../wire/ops.ts";
import { encodeParts } from "./encode-parts.ts";
import type { SharedValue, SharedValues } from "./shared-values.ts";

/** How deep in an item or a list of arguments, and in how wide objects, an object is looked for that other items have too. */
const DEPTH = 3;
const WIDTH = 32;

/** A task's value that does not fit a record with others. */
export interface LargeItem {
  readonly head: Uint8Array;
  /** Copies of its large buffers. */
  readonly externals: readonly Uint8Array[];
  /** Values that it has in common with other tasks, by their numbers in it. */
  readonly shares: readonly SharedValue[];
}

/**
 * What the items of one call have in common: an object that several of them use is encoded once, and crosses to each
 * node once. Items that are small are never looked at.
 */
export class Sharing {
  readonly #items: readonly unknown[];
  readonly #values: SharedValues;
  /** How many items use an object; counted when the first large item comes. */
  #uses: Map<object, number> | undefined;
  /** What has been encoded by itself; null for what is not worth it. */
  readonly #made = new Map<object, SharedValue | null>();
  /** Objects inside shared ones: met elsewhere too, they would lose their identity. */
  readonly #inside = new Set<object>();
  #entangled = false;

  constructor(items: readonly unknown[], values: SharedValues) {
    this.#items = items;
    this.#values = values;
  }

  /** Whether there are other items at all. */
  get mayShare(): boolean {
    return this.#items.length > 1 && !this.#entangled;
  }

  /** Encodes an item that is large, or has a `Ref`. `single`: the item is the argument, not the list of them. */
  encode(item: unknown, single: boolean, hooks: EncodeHooks): LargeItem {
    const whole = single ? [item] : (item as readonly unknown[]);
    for (const one of whole) if (one instanceof PutRef) this.#made.set(one, this.#values.of(one));
    if (this.#items.length > 1) this.#find(whole, hooks);
    const shares: SharedValue[] = [];
    let entangled = false;
    const shared = (object: object): number | undefined => {
      if (this.#inside.has(object)) {
        entangled = true;
        throw new Error("it is a part of what other items share");
      }
      const share = this.#made.get(object);
      if (!share || (object instanceof PutRef && !whole.includes(object))) return undefined;
      const known = shares.indexOf(share);
      return known >= 0 ? known : shares.push(share) - 1;
    };
    try {
      const [head, ...externals] = encodeParts(item, { ...hooks, shared });
      return { head: head!, externals, shares };
    } catch (error) {
      if (!entangled) throw error;
      // It has a part of a shared object: that one travels with each item after all.
      this.#entangled = true;
      this.#inside.clear();
      for (const object of this.#made.keys()) if (!(object instanceof PutRef)) this.#made.delete(object);
      return this.encode(item, single, hooks);
    }
  }

  #find(whole: readonly unknown[], hooks: EncodeHooks): void {
    if (this.#entangled) return;
    this.#uses ??= count(this.#items);
    walkEach(whole, 1, (object) => {
      if (object instanceof PutRef) return false;
      if ((this.#uses!.get(object) ?? 0) < 2) return true;
      if (!this.#made.has(object)) this.#made.set(object, this.#encode(object, hooks));
      return this.#made.get(object) === null;
    });
  }

  #encode(root: object, hooks: EncodeHooks): SharedValue | null {
    if (isSmallView(root)) return null;
    const inside: object[] = [];
    const parts = encodeParts(root, {
      ...hooks,
      shared(object) {
        if (object !== root) inside.push(object);
        return undefined;
      },
    });
    if (parts.length === 1 && parts[0]!.byteLength <= INLINE_MAX_BYTES) return null;
    for (const object of inside) this.#inside.add(object);
    return this.#values.make(parts);
  }
}

function isSmallView(object: object): boolean {
  return ArrayBuffer.isView(object) && object.byteLength <= INLINE_MAX_BYTES;
}

function count(items: readonly unknown[]): Map<object, number> {
  const uses = new Map<object, number>();
  for (const item of items) {
    const seen = new Set<object>();
    walk(item, 0, (object) => {
      if (seen.has(object)) return false;
      seen.add(object);
      uses.set(object, (uses.get(object) ?? 0) + 1);
      return true;
    });
  }
  return uses;
}

/** Visits the objects of an item from the outside, those below one only if `visit` says so. */
function walk(value: unknown, depth: number, visit: (object: object) => boolean): void {
  if (typeof value !== "object" || value === null) return;
  if (!visit(value) || depth === DEPTH || ArrayBuffer.isView(value)) return;
  if (Array.isArray(value)) return walkEach(value as readonly unknown[], depth + 1, visit);
  const prototype = Object.getPrototypeOf(value) as object | null;
  if (prototype !== Object.prototype && prototype !== null) return;
  const fields = Object.values(Object.getOwnPropertyDescriptors(value));
  walkEach(
    fields.map((field) => field.value as unknown),
    depth + 1,
    visit,
  );
}

function walkEach(values: readonly unknown[], depth: number, visit: (object: object) => boolean): void {
  if (values.length <= WIDTH) for (const value of values) walk(value, depth, visit);
}
