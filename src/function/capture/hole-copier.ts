import { types } from "node:util";
import { isPrototypeOf } from "./realm.ts";

/** What a hole is filled with on the node: an index into the list of code that the emitted module makes. */
export interface Fillings {
  indexOf(value: object): number | undefined;
}

/**
 * Copies of data with holes, for one dispatch: functions are left out, instances are plain objects; `fill` and `classes`
 * say what the emitted module puts back. Shared objects stay shared.
 */
export class HoleCopier {
  /** `[holder, key, index]`: a Map's entry, a Set's member (no key), else a property. */
  readonly fill: [object, unknown, number][] = [];
  /** `[instance, index]` */
  readonly classes: [object, number][] = [];
  readonly #copies = new Map<object, object>();
  readonly #fillings: Fillings;

  constructor(fillings: Fillings) {
    this.#fillings = fillings;
  }

  copy(value: unknown): unknown {
    if (typeof value !== "object" || value === null) return value;
    const known = this.#copies.get(value);
    if (known !== undefined) return known;
    const proto: unknown = Object.getPrototypeOf(value);
    if (types.isMap(value) && isPrototypeOf(proto, Map)) return this.#map(value);
    if (types.isSet(value) && isPrototypeOf(proto, Set)) return this.#set(value);
    const plain = proto === null || isPrototypeOf(proto, Object) || Array.isArray(value);
    const constructor = (value as { constructor?: unknown }).constructor;
    const index = plain || typeof constructor !== "function" ? undefined : this.#fillings.indexOf(constructor);
    if (!plain && index === undefined) return value;
    const copy: object = Array.isArray(value) ? [] : proto === null ? (Object.create(null) as object) : {};
    this.#copies.set(value, copy);
    if (index !== undefined) this.classes.push([copy, index]);
    for (const key of Object.keys(value)) this.#put(copy, key, (value as Record<string, unknown>)[key]);
    if (Array.isArray(value)) (copy as unknown[]).length = value.length;
    return copy;
  }

  #put(holder: object, key: string, value: unknown): void {
    const index = this.#hole(value);
    if (index !== undefined) this.fill.push([holder, key, index]);
    // Defined, not assigned: a key may be "__proto__".
    Object.defineProperty(holder, key, {
      value: index === undefined ? this.copy(value) : null,
      writable: true,
      enumerable: true,
      configurable: true,
    });
  }

  #hole(value: unknown): number | undefined {
    return (typeof value === "object" && value !== null) || typeof value === "function"
      ? this.#fillings.indexOf(value)
      : undefined;
  }

  #map(value: Map<unknown, unknown>): object {
    const copy = new Map<unknown, unknown>();
    this.#copies.set(value, copy);
    for (const [key, item] of value) {
      const index = this.#hole(item);
      const ownKey = this.copy(key);
      if (index !== undefined) this.fill.push([copy, ownKey, index]);
      copy.set(ownKey, index === undefined ? this.copy(item) : null);
    }
    return copy;
  }

  #set(value: Set<unknown>): object {
    const copy = new Set<unknown>();
    this.#copies.set(value, copy);
    for (const item of value) {
      const index = this.#hole(item);
      if (index !== undefined) this.fill.push([copy, undefined, index]);
      else copy.add(this.copy(item));
    }
    return copy;
  }
}
