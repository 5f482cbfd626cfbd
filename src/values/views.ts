/** The kinds of views on a buffer, in the order of their numbers on the wire. */
const NAMES = [
  "Int8Array",
  "Uint8Array",
  "Uint8ClampedArray",
  "Int16Array",
  "Uint16Array",
  "Int32Array",
  "Uint32Array",
  "Float32Array",
  "Float64Array",
  "BigInt64Array",
  "BigUint64Array",
  "DataView",
  "Float16Array",
] as const;

/** Set in a view's kind byte where its buffer is shared memory. */
export const SHARED = 0x40;
/** Set where the view was a part of a larger buffer: the copy's buffer is nobody's but the view's. */
export const PART = 0x20;
export const KIND_MASK = 0x1f;

export interface ViewKind {
  readonly number: number;
  readonly constructor: ViewConstructor;
  /** Bytes of an element. */
  readonly size: number;
}

type ViewConstructor = new (buffer: ArrayBufferLike, byteOffset?: number, length?: number) => ArrayBufferView;

const kinds: (ViewKind | undefined)[] = NAMES.map((name, number) => {
  const constructor = (globalThis as unknown as Record<string, unknown>)[name];
  if (typeof constructor !== "function") return undefined;
  const size = (constructor as { BYTES_PER_ELEMENT?: number }).BYTES_PER_ELEMENT ?? 1;
  return { number, constructor: constructor as ViewConstructor, size };
});
const byName = new Map<string, ViewKind>();
for (const [i, kind] of kinds.entries()) if (kind !== undefined) byName.set(NAMES[i]!, kind);

const typedArrayName = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag)
  ?.get as (this: object) => string | undefined;

/** Undefined where this Node does not have the kind. */
export function viewKind(number: number): ViewKind | undefined {
  return kinds[number];
}

export function kindOfView(view: ArrayBufferView): ViewKind | undefined {
  return byName.get(typedArrayName.call(view) ?? "DataView");
}

export function viewPrototypes(): object[] {
  return kinds.flatMap((kind) => (kind === undefined ? [] : [kind.constructor.prototype as object]));
}
