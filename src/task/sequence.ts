import { SkyError } from "../errors/sky-error.ts";

/** What can be cut into shards: anything with a length and indices. */
export type Shardable = string | ArrayLike<unknown>;

type TypedArray =
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array
  | BigInt64Array
  | BigUint64Array;

/** What picking from `T` gives: the same typed array, a string, else an array of the items. */
export type Picked<T> = T extends string
  ? string
  : T extends Buffer
    ? Buffer
    : T extends Int8Array
      ? Int8Array
      : T extends Uint8Array
        ? Uint8Array
        : T extends Uint8ClampedArray
          ? Uint8ClampedArray
          : T extends Int16Array
            ? Int16Array
            : T extends Uint16Array
              ? Uint16Array
              : T extends Int32Array
                ? Int32Array
                : T extends Uint32Array
                  ? Uint32Array
                  : T extends Float32Array
                    ? Float32Array
                    : T extends Float64Array
                      ? Float64Array
                      : T extends BigInt64Array
                        ? BigInt64Array
                        : T extends BigUint64Array
                          ? BigUint64Array
                          : T extends ArrayLike<infer E>
                            ? E[]
                            : never;

type Sequence = { readonly length: number } & (
  | { readonly kind: "text"; readonly text: string; readonly points: readonly string[] | undefined }
  | { readonly kind: "typed"; readonly array: TypedArray }
  | { readonly kind: "items"; readonly items: ArrayLike<unknown> }
);

/** Which items are picked: those at `start`, `start + step`, ..., `count` of them. */
export interface Indices {
  readonly count: number;
  readonly start: number;
  readonly step: number;
  /** The order that items are dealt from; undefined for their own. */
  readonly order: Uint32Array | undefined;
}

const SURROGATE = /[\ud800-\udfff]/;

/** Reads one input. A string counts code points, so that no character is cut in two. */
export function sequenceOf(data: unknown, index: number): Sequence {
  if (typeof data === "string") {
    const points = SURROGATE.test(data) ? Array.from(data) : undefined;
    return { kind: "text", text: data, points, length: points?.length ?? data.length };
  }
  if (ArrayBuffer.isView(data) && !(data instanceof DataView)) {
    const array = data as TypedArray;
    return { kind: "typed", array, length: array.length };
  }
  if (isArrayLike(data)) return { kind: "items", items: data, length: data.length };
  const what = data === null ? "null" : data instanceof Object ? data.constructor.name : typeof data;
  throw new SkyError("SKY_BAD_OPTION", `Input ${index} of sky.shard is ${what}, which has no length and indices.`, {
    hint: "Pass an array, a typed array or a string; turn others into an array first: sky.shard([...set]).",
  });
}

export function pick(from: Sequence, indices: Indices): unknown {
  switch (from.kind) {
    case "text": {
      const { text, points } = from;
      const parts = collect(new Array<string>(indices.count), points ?? text, indices);
      return parts.join("");
    }
    case "typed":
      return collect(emptyLike(from.array, indices.count), from.array, indices);
    case "items":
      return collect(new Array<unknown>(indices.count), from.items, indices);
  }
}

function collect<T extends { [index: number]: unknown }>(into: T, from: ArrayLike<unknown>, indices: Indices): T {
  const { count, start, step, order } = indices;
  if (order === undefined) for (let i = 0; i < count; i++) into[i] = from[start + i * step];
  else for (let i = 0; i < count; i++) into[i] = from[order[start + i * step] as number];
  return into;
}

function emptyLike(array: TypedArray, length: number): { [index: number]: unknown } {
  if (Buffer.isBuffer(array)) return Buffer.alloc(length);
  const Kind = array.constructor as new (length: number) => TypedArray;
  return new Kind(length);
}

function isArrayLike(data: unknown): data is ArrayLike<unknown> {
  if (typeof data !== "object" || data === null || !("length" in data)) return false;
  return typeof data.length === "number" && Number.isSafeInteger(data.length) && data.length >= 0;
}
