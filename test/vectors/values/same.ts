import { blobBytes } from "../../../src/wire/blob-bytes.ts";

/**
 * Where two values differ, as a path, or undefined where they are the same: kinds, prototypes, contents, order, holes,
 * and which objects are one and the same.
 */
export function difference(a: unknown, b: unknown): string | undefined {
  return compare(a, b, "value", { there: new Map(), back: new Map() });
}

interface Seen {
  readonly there: Map<unknown, unknown>;
  readonly back: Map<unknown, unknown>;
}

function compare(a: unknown, b: unknown, path: string, seen: Seen): string | undefined {
  if (typeof a !== "object" || a === null || typeof b !== "object" || b === null) {
    return Object.is(a, b) ? undefined : `${path}: ${String(a)} became ${String(b)}`;
  }
  if (seen.there.has(a) || seen.back.has(b)) {
    return seen.there.get(a) === b && seen.back.get(b) === a ? undefined : `${path}: another object`;
  }
  seen.there.set(a, b);
  seen.back.set(b, a);
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return `${path}: another prototype`;
  return content(a, b, path, seen) ?? properties(a, b, path, seen);
}

function content(a: object, b: object, path: string, seen: Seen): string | undefined {
  if (a instanceof Blob) return compare(blobOf(a), blobOf(b as Blob), `${path} as parts`, seen);
  if (a instanceof Date) return compare(a.getTime(), (b as Date).getTime(), `${path}.getTime()`, seen);
  if (a instanceof RegExp) return compare(a.toString(), (b as RegExp).toString(), `${path}.toString()`, seen);
  if (a instanceof URL || a instanceof URLSearchParams) {
    return compare(a.toString(), (b as URL).toString(), `${path}.toString()`, seen);
  }
  if (a instanceof Map) return list([...a].flat(), [...(b as Map<unknown, unknown>)].flat(), `[...${path}]`, seen);
  if (a instanceof Set) return list([...a], [...(b as Set<unknown>)], `[...${path}]`, seen);
  if (ArrayBuffer.isView(a)) {
    const view = b as ArrayBufferView;
    const whole = a.byteLength === a.buffer.byteLength;
    return (
      sameBytes(bytesOf(a), bytesOf(view), path) ??
      (whole ? compare(a.buffer, view.buffer, `${path}.buffer`, seen) : undefined)
    );
  }
  if (a instanceof ArrayBuffer || a instanceof SharedArrayBuffer) {
    return sameBytes(new Uint8Array(a), new Uint8Array(b as ArrayBuffer), path);
  }
  if (
    a instanceof Number ||
    a instanceof String ||
    a instanceof Boolean ||
    a instanceof BigInt ||
    a instanceof Symbol
  ) {
    return compare(a.valueOf(), b.valueOf(), `${path}.valueOf()`, seen);
  }
  return undefined;
}

function properties(a: object, b: object, path: string, seen: Seen): string | undefined {
  if (ArrayBuffer.isView(a)) return undefined;
  const keys = Reflect.ownKeys(a);
  const others = Reflect.ownKeys(b);
  if (a instanceof Error) {
    keys.sort(byText);
    others.sort(byText);
  }
  if (keys.length !== others.length)
    return `${path}: keys ${keys.map(String).join()} became ${others.map(String).join()}`;
  for (const [i, key] of keys.entries()) {
    if (others[i] !== key) return `${path}: key ${String(key)} became ${String(others[i])}`;
    const one = Object.getOwnPropertyDescriptor(a, key)!;
    const other = Object.getOwnPropertyDescriptor(b, key)!;
    if (one.enumerable !== other.enumerable) return `${path}.${String(key)}: enumerable`;
    const found = compare(
      (a as Record<PropertyKey, unknown>)[key],
      (b as Record<PropertyKey, unknown>)[key],
      `${path}.${String(key)}`,
      seen,
    );
    if (found !== undefined) return found;
  }
  return undefined;
}

function list(a: readonly unknown[], b: readonly unknown[], path: string, seen: Seen): string | undefined {
  if (a.length !== b.length) return `${path}: ${a.length} became ${b.length}`;
  for (const [i, each] of a.entries()) {
    const found = compare(each, b[i], `${path}[${i}]`, seen);
    if (found !== undefined) return found;
  }
  return undefined;
}

function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

function sameBytes(a: Uint8Array, b: Uint8Array, path: string): string | undefined {
  return Buffer.compare(a, b) === 0 ? undefined : `${path}: other bytes`;
}

function byText(a: string | symbol, b: string | symbol): number {
  return String(a) < String(b) ? -1 : 1;
}

function blobOf(blob: Blob & { readonly name?: string; readonly lastModified?: number }): unknown {
  const bytes = Buffer.from(blobBytes(blob)!).toString("hex");
  return { bytes, type: blob.type, name: blob.name, lastModified: blob.lastModified };
}
