import { Buffer } from "node:buffer";
import { blobBytes } from "../../../src/wire/blob-bytes.ts";
import { codec } from "../../../src/values/registry.ts";
import type { DecodeHooks, EncodeHooks } from "../../../src/values/hooks.ts";

/** A value written down in JSON: itself, or an object whose "$" says what it is. See README.md beside this file. */
export type Description = unknown;

interface Tagged {
  readonly $: string;
  readonly $id?: number;
  readonly [key: string]: unknown;
}

export class Point {
  x = 0;
  y = 0;
}

/** Crosses as its text; see `hooks`. */
export class Money {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
  static [codec] = {
    encode: (money: Money) => money.text,
    decode: (text: string) => new Money(text),
  };
}

const CLASSES: Record<string, abstract new (...args: never[]) => object> = { Point, Money };
const functions = new Map<string, (...args: never[]) => unknown>();
const SHARED = { rows: 3 };
const EXTERNAL = Uint8Array.from({ length: 32 }, (_, i) => i);

/** The hooks under which the vectors hold. */
export const hooks: EncodeHooks & DecodeHooks = {
  limits: { externalFrom: 32 },
  classOf(instance) {
    const { name } = (Object.getPrototypeOf(instance) as { constructor: { name: string } }).constructor;
    return Object.hasOwn(CLASSES, name) ? { id: name } : undefined;
  },
  resolveClass: (id) => CLASSES[id],
  function: (fn) => [...functions].find(([, known]) => known === fn)?.[0],
  resolveFunction: (state) => functionNamed(String(state)),
  external: () => 7,
  blob: blobBytes,
  resolveExternal: () => EXTERNAL.slice(),
  shared: (object) => (object === SHARED ? 5 : undefined),
  resolveShared: (index) => (index === 5 ? SHARED : undefined),
};

export function build(description: Description): unknown {
  return make(description, new Map());
}

type Objects = Map<number, unknown>;

function make(d: Description, objects: Objects): unknown {
  if (typeof d !== "object" || d === null) return d;
  if (Array.isArray(d))
    return fill([] as unknown[], objects, undefined, (array) => d.forEach((each) => array.push(make(each, objects))));
  if (!("$" in d)) {
    return fill({}, objects, undefined, (object) => setFields(object, Object.entries(d), objects));
  }
  return special(d as Tagged, objects);
}

function special(d: Tagged, objects: Objects): unknown {
  const entries = d["entries"] as [unknown, unknown][];
  switch (d.$) {
    case "ref":
      return objects.get(d["id"] as number);
    case "undefined":
      return undefined;
    case "number":
      return Number(d["is"]);
    case "bigint":
      return BigInt(d["is"] as string);
    case "text":
      return String.fromCharCode(...(d["units"] as number[]));
    case "symbol":
      return Symbol.for(d["for"] as string);
    case "well-known":
      return (Symbol as unknown as Record<string, symbol>)[d["name"] as string];
    case "object": {
      const object = (d["prototype"] === null ? Object.create(null) : {}) as Record<string, unknown>;
      return fill(object, objects, d.$id, () => setFields(object, entries as [string, unknown][], objects));
    }
    case "array":
      return fill([] as unknown[], objects, d.$id, (array) => {
        setFields(array, entries, objects);
        array.length = d["length"] as number;
      });
    case "map":
      return fill(new Map(), objects, d.$id, (map) => {
        for (const [key, value] of entries) map.set(make(key, objects), make(value, objects));
      });
    case "set":
      return fill(new Set(), objects, d.$id, (set) =>
        (d["values"] as unknown[]).forEach((v) => set.add(make(v, objects))),
      );
    case "instance": {
      const instance = Object.create(CLASSES[d["class"] as string]!.prototype as object) as object;
      return fill(instance, objects, d.$id, () => setFields(instance, entries as [string, unknown][], objects));
    }
    default:
      return fill(leaf(d, objects), objects, d.$id, () => {});
  }
}

function leaf(d: Tagged, objects: Objects): unknown {
  const text = d["is"] as string;
  switch (d.$) {
    case "date":
      return new Date(d["ms"] === null ? NaN : (d["ms"] as number));
    case "regexp":
      return Object.assign(new RegExp(d["source"] as string, d["flags"] as string), { lastIndex: d["lastIndex"] ?? 0 });
    case "blob":
      return new Blob([bytes(d["hex"])], { type: d["type"] as string });
    case "file": {
      const { type, name, lastModified } = d as unknown as { type: string; name: string; lastModified: number };
      return new File([bytes(d["hex"])], name, { type, lastModified });
    }
    case "url":
      return new URL(text);
    case "search-params":
      return new URLSearchParams(text);
    case "boxed":
      return Object(make(d["value"], objects)) as object;
    case "array-buffer":
      return bytes(d["hex"]).buffer;
    case "shared-array-buffer":
      return shared(bytes(d["hex"]));
    case "view": {
      const data = bytes(d["hex"]);
      const kind = (globalThis as unknown as Record<string, new (b: unknown, o?: unknown, l?: unknown) => object>)[
        d["of"] as string
      ]!;
      if ("on" in d) return new kind(make(d["on"], objects), d["byteOffset"], d["length"]);
      return new kind(d["shared"] === true ? shared(data) : data.buffer);
    }
    case "shared":
      return SHARED;
    case "external":
      return EXTERNAL.slice();
    case "buffer":
      return Buffer.from(bytes(d["hex"]));
    case "money":
      return new Money(text);
    case "function":
      return functionNamed(text);
    case "error":
      return error(d, objects);
    default:
      throw new Error(`No such description: ${d.$}`);
  }
}

function error(d: Tagged, objects: Objects): object {
  const kind = (globalThis as unknown as Record<string, new (message: string) => Error>)[d["class"] as string]!;
  const made =
    kind === (AggregateError as unknown)
      ? (new AggregateError([], d["message"] as string) as Error)
      : new kind(d["message"] as string);
  const hidden = (key: string, value: unknown): unknown =>
    Object.defineProperty(made, key, { value, writable: true, configurable: true, enumerable: false });
  hidden("stack", d["stack"]);
  for (const key of ["cause", "errors"]) if (key in d) hidden(key, make(d[key], objects));
  setFields(made, (d["entries"] ?? []) as [string, unknown][], objects);
  return made;
}

function fill<T>(object: T, objects: Objects, id: number | undefined, into: (object: T) => unknown): T {
  if (id !== undefined) objects.set(id, object);
  into(object);
  return object;
}

function setFields(object: object, entries: readonly (readonly [unknown, unknown])[], objects: Objects): void {
  for (const [key, d] of entries) {
    const name = typeof key === "string" ? key : (make(key, objects) as symbol);
    const value = make(d, objects);
    Object.defineProperty(object, name, { value, enumerable: true, writable: true, configurable: true });
  }
}

function bytes(hex: unknown): Uint8Array {
  return new Uint8Array(Buffer.from((hex as string | undefined) ?? "", "hex"));
}

function shared(data: Uint8Array): SharedArrayBuffer {
  const memory = new SharedArrayBuffer(data.length);
  new Uint8Array(memory).set(data);
  return memory;
}

function functionNamed(name: string): (...args: never[]) => unknown {
  const known = functions.get(name) ?? (() => name);
  functions.set(name, known);
  return known;
}
