import { types } from "node:util";
import { kindOfView } from "../../values/views.ts";
import { extraKeys } from "./extra-keys.ts";
import { isPrototypeOf } from "./realm.ts";

/** What a hole is filled with on the node: an index into the list of code that the emitted module makes. */
export interface Fillings {
  indexOf(value: object): number | undefined;
}

/**
 * Copies of data with holes, for one dispatch: functions are left out, instances are plain objects, or what their class
 * extends: an array, a Map, an error. `fill`, `classes` and `props` say what the emitted module puts back. Shared objects
 * stay shared.
 */
export class HoleCopier {
  /** `[holder, key, index]`: a Map's entry, a Set's member (no key), else a property. */
  readonly fill: [object, unknown, number][] = [];
  /** `[instance, index]` */
  readonly classes: [object, number][] = [];
  /** `[holder, properties]`: what an array, a view, a Map or a Set has besides what it holds. */
  readonly props: [object, object][] = [];
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
    const index = this.#classOf(value, proto);
    const copy = this.#emptyCopy(value, proto, index !== undefined);
    if (copy === undefined) return value;
    this.#copies.set(value, copy);
    if (index !== undefined) this.classes.push([copy, index]);
    this.#insides(value, copy);
    const extra = extraKeys(value);
    if (extra.length === 0) return copy;
    const more = {};
    this.props.push([copy, more]);
    for (const key of extra) this.#put(more, key, (value as Record<string, unknown>)[key]);
    return copy;
  }

  /** The index of the class of an instance that the emitted module makes again. */
  #classOf(value: object, proto: unknown): number | undefined {
    if (proto === null || isPrototypeOf(proto, Object) || isPrototypeOf(proto, Array)) return undefined;
    const constructor = (value as { constructor?: unknown }).constructor;
    return typeof constructor === "function" ? this.#fillings.indexOf(constructor) : undefined;
  }

  /** Undefined for what crosses as it is. */
  #emptyCopy(value: object, proto: unknown, isInstance: boolean): object | undefined {
    if (Array.isArray(value)) return [];
    if (proto === null) return Object.create(null) as object;
    if (isPrototypeOf(proto, Object)) return {};
    if (types.isMap(value)) return isInstance || isPrototypeOf(proto, Map) ? new Map() : undefined;
    if (types.isSet(value)) return isInstance || isPrototypeOf(proto, Set) ? new Set() : undefined;
    if (!isInstance) return undefined;
    if (types.isNativeError(value)) return new Error();
    return ArrayBuffer.isView(value) ? plainView(value) : {};
  }

  #insides(value: object, copy: object): void {
    if (types.isMap(value)) this.#map(value, copy as Map<unknown, unknown>);
    else if (types.isSet(value)) this.#set(value, copy as Set<unknown>);
    else if (types.isNativeError(value)) this.#error(value, copy);
    else if (Array.isArray(value)) this.#array(value, copy as unknown[]);
    else if (!ArrayBuffer.isView(value))
      for (const key of Object.keys(value)) this.#put(copy, key, (value as Record<string, unknown>)[key]);
  }

  #put(holder: object, key: string, value: unknown, enumerable = true): void {
    const index = this.#hole(value);
    if (index !== undefined) this.fill.push([holder, key, index]);
    // Defined, not assigned: a key may be "__proto__".
    Object.defineProperty(holder, key, {
      value: index === undefined ? this.copy(value) : null,
      writable: true,
      enumerable,
      configurable: true,
    });
  }

  #hole(value: unknown): number | undefined {
    return (typeof value === "object" && value !== null) || typeof value === "function"
      ? this.#fillings.indexOf(value)
      : undefined;
  }

  #array(value: readonly unknown[], copy: unknown[]): void {
    const extra = new Set(extraKeys(value));
    for (const key of Object.keys(value)) if (!extra.has(key)) this.#put(copy, key, value[key as unknown as number]);
    copy.length = value.length;
  }

  #error(value: Error, copy: object): void {
    for (const key of Object.getOwnPropertyNames(value)) {
      const enumerable = Object.prototype.propertyIsEnumerable.call(value, key);
      this.#put(copy, key, value[key as keyof Error], enumerable);
    }
  }

  #map(value: Map<unknown, unknown>, copy: Map<unknown, unknown>): void {
    for (const [key, item] of Map.prototype.entries.call(value)) {
      const index = this.#hole(item);
      const ownKey = this.copy(key);
      if (index !== undefined) this.fill.push([copy, ownKey, index]);
      copy.set(ownKey, index === undefined ? this.copy(item) : null);
    }
  }

  #set(value: Set<unknown>, copy: Set<unknown>): void {
    for (const item of Set.prototype.values.call(value)) {
      const index = this.#hole(item);
      if (index !== undefined) this.fill.push([copy, undefined, index]);
      else copy.add(this.copy(item));
    }
  }
}

/** The same memory, seen through the class that Node has for it. */
function plainView(view: ArrayBufferView): ArrayBufferView | undefined {
  const kind = kindOfView(view);
  if (kind === undefined) return undefined;
  return new kind.constructor(view.buffer, view.byteOffset, view.byteLength / kind.size);
}
