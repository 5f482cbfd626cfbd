import { deserialize, serialize } from "node:v8";
import type { Sink } from "../../../wire/read-into.ts";

/**
 * u32 length of what follows, u8 kind: 0 the bytes themselves, 1 a value as V8 writes it, 2 the same without its large
 * arrays, which follow one behind the other. Both ends are one program.
 */
const HEADER_BYTES = 5;
const BYTES = 0;
const VALUE = 1;
const WITH_LARGE = 2;
/** From this size on bytes are written from where they lie, and read to where they stay. */
const LARGE_MIN_BYTES = 64 * 1024;

/** Stands for a large array. No message of ours has such a key by itself. */
const LARGE = "\0large";
type Places = Readonly<Record<string, unknown>>;

/** A message between a host and a process of it, as what has to be written; large arrays must not change before it is. */
export function framesOf(message: unknown): Uint8Array[] {
  if (message instanceof Uint8Array) {
    if (message.byteLength < LARGE_MIN_BYTES) return [frame(BYTES, message)];
    return [frame(BYTES, message, 0), message];
  }
  const large = largeIn(message, []);
  if (large.length === 0) return [frame(VALUE, serialize(message))];
  const sizes = large.map((bytes) => bytes.byteLength);
  return [frame(WITH_LARGE, serialize([without(message, large), sizes])), ...large];
}

function frame(kind: number, body: Uint8Array, copied = body.byteLength): Buffer {
  const out = Buffer.allocUnsafe(HEADER_BYTES + copied);
  out.writeUInt32LE(1 + body.byteLength, 0);
  out[4] = kind;
  if (copied > 0) out.set(body, HEADER_BYTES);
  return out;
}

function largeIn(value: unknown, found: Uint8Array[]): Uint8Array[] {
  if (typeof value !== "object" || value === null) return found;
  if (value instanceof Uint8Array) {
    if (value.byteLength >= LARGE_MIN_BYTES) found.push(value);
  } else for (const key in value) largeIn((value as Places)[key], found);
  return found;
}

function without(value: unknown, large: readonly Uint8Array[]): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Uint8Array) {
    const index = large.indexOf(value);
    return index < 0 ? value : { [LARGE]: index };
  }
  if (Array.isArray(value)) return value.map((one) => without(one, large));
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, without(one, large)]));
}

function withLarge(value: unknown, large: readonly Uint8Array[]): unknown {
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value;
  if (Array.isArray(value)) return value.map((one) => withLarge(one, large));
  const index = (value as Places)[LARGE];
  if (typeof index === "number") return large[index];
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, withLarge(one, large)]));
}

/** Cuts a stream into messages, wherever it was cut before. Bytes are given as arrays of their own. */
export class Frames<T> implements Sink {
  readonly #emit: (message: T) => void;
  readonly #header = Buffer.alloc(HEADER_BYTES);
  #headerAt = 0;
  /** What is being filled: the body of a message, then each of its large arrays. */
  #filling: Uint8Array[] = [];
  #at = 0;
  #full: Uint8Array[] = [];
  /** The message whose large arrays come. */
  #message: unknown;
  readonly #between = Buffer.allocUnsafeSlow(LARGE_MIN_BYTES);
  #inPlace = false;

  constructor(emit: (message: T) => void) {
    this.#emit = emit;
  }

  room(): Uint8Array {
    const place = this.#filling[0];
    this.#inPlace = place !== undefined && place.byteLength - this.#at >= LARGE_MIN_BYTES;
    return this.#inPlace ? place!.subarray(this.#at) : this.#between;
  }

  filled(bytes: number): void {
    if (!this.#inPlace) return this.push(this.#between.subarray(0, bytes));
    this.#at += bytes;
    this.#look();
  }

  push(data: Buffer): void {
    let at = 0;
    while (at < data.length) {
      const place = this.#filling[0] ?? this.#header;
      const from = place === this.#header ? this.#headerAt : this.#at;
      const size = Math.min(place.byteLength - from, data.length - at);
      place.set(data.subarray(at, at + size), from);
      at += size;
      if (place !== this.#header) this.#at += size;
      else if ((this.#headerAt += size) === HEADER_BYTES)
        this.#fill([new Uint8Array(this.#header.readUInt32LE(0) - 1)]);
      this.#look();
    }
  }

  #fill(places: Uint8Array[]): void {
    this.#filling = places;
    this.#full = [];
    this.#at = 0;
  }

  /** Goes on behind what is full. */
  #look(): void {
    while (this.#filling.length > 0 && this.#at === this.#filling[0]!.byteLength) {
      this.#full.push(this.#filling.shift()!);
      this.#at = 0;
      if (this.#filling.length > 0) continue;
      if (this.#message !== undefined) this.#end(withLarge(this.#message, this.#full));
      else this.#body(this.#full[0]!);
    }
  }

  #body(body: Uint8Array): void {
    const kind = this.#header[4];
    if (kind !== WITH_LARGE) return this.#end(kind === BYTES ? body : deserialize(body));
    const [message, sizes] = deserialize(body) as [unknown, number[]];
    this.#message = message;
    this.#fill(sizes.map((size) => Buffer.allocUnsafeSlow(size)));
  }

  #end(message: unknown): void {
    this.#headerAt = 0;
    this.#message = undefined;
    this.#fill([]);
    this.#emit(message as T);
  }
}
