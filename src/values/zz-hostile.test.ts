import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SkyError } from "../errors/sky-error.ts";
import { ByteWriter } from "./byte-writer.ts";
import { decode } from "./decode.ts";
import type { DecodeHooks } from "./hooks.ts";
import { encode } from "./encode.ts";

const vectors = (
  JSON.parse(readFileSync(join(import.meta.dirname, "../../test/vectors/values/values.json"), "utf8")) as {
    hex: string;
  }[]
).map(({ hex }) => Buffer.from(hex, "hex"));

let constructed = 0;
let touched = 0;
/** A class whose every way to run code is counted. */
class Trap extends Error {
  constructor() {
    super();
    constructed++;
  }
  get x(): number {
    touched++;
    return 1;
  }
  set x(_: number) {
    touched++;
  }
  set a(_: number) {
    touched++;
  }
}
const singleton = Object.freeze(() => 1);
const hooks: DecodeHooks = {
  resolveClass: () => Trap,
  errorClass: () => Trap,
  resolveFunction: () => singleton,
  resolveExternal: () => new Uint8Array(32),
};

const BUILT_IN = [Object, Array, Map, Set, Date, RegExp, Error, Function, Uint8Array, Promise, Trap].map(
  (each) => each.prototype as object,
);
const owned = (): string => BUILT_IN.map((prototype) => Reflect.ownKeys(prototype).map(String).join()).join(";");
const before = owned();

/** Any bytes are a value or a SkyError, in a bounded time and memory. */
function survives(bytes: Buffer): void {
  const start = performance.now();
  try {
    const value = decode(bytes, 0, bytes.length, hooks);
    if (typeof value === "object" && value !== null)
      expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  } catch (error) {
    expect(error).toBeInstanceOf(SkyError);
    expect((error as SkyError).code).toMatch(/^SKY_VALUE_/);
  }
  expect(performance.now() - start).toBeLessThan(1000);
}

const mutation = fc.record({
  at: fc.nat(),
  how: fc.constantFrom("set", "insert", "remove", "cut", "copy"),
  byte: fc.oneof(fc.nat(255), fc.integer({ min: 0xd0, max: 0xf6 })),
});

function mutate(source: Buffer, mutations: readonly { at: number; how: string; byte: number }[]): Buffer {
  let bytes = [...source];
  for (const { at, how, byte } of mutations) {
    const i = bytes.length === 0 ? 0 : at % bytes.length;
    if (how === "set") bytes[i] = byte;
    else if (how === "insert") bytes.splice(i, 0, byte);
    else if (how === "remove") bytes.splice(i, 1);
    else if (how === "cut") bytes = bytes.slice(0, i);
    else bytes.splice(i, 0, ...bytes.slice(byte % (bytes.length + 1)));
  }
  return Buffer.from(bytes);
}

describe("hostile bytes", () => {
  it("at random do no harm", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => survives(Buffer.from(bytes))),
      { numRuns: 15 * 20_000 },
    );
  });

  it("made of tags and small numbers do no harm", () => {
    const byte = fc.oneof(fc.integer({ min: 0x80, max: 0xf6 }), fc.nat(8), fc.constantFrom(0x81, 0x61, 0x78));
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 100 }), (bytes) => survives(Buffer.from(bytes))),
      { numRuns: 15 * 20_000 },
    );
  });

  it("made from good ones by mutation do no harm", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...vectors),
        fc.array(mutation, { minLength: 1, maxLength: 6 }),
        (source, mutations) => survives(mutate(source, mutations)),
      ),
      { numRuns: 15 * 20_000 },
    );
  });

  it("do not make a few bytes into much memory", () => {
    const run = [0xe0, 0xff, 0xff, 0xff, 0xff, 0x0f, 0xe1, 0xff, 0xff, 0xff, 0xff, 0x0f];
    const short = [0xe0, 0xac, 0x02, 0xe1, 0xac, 0x02];
    for (const each of [run, short]) {
      const times = 20_000;
      const header = new ByteWriter();
      header.u8(0xe0);
      header.varint(times);
      const bytes = Buffer.concat([header.take(), ...Array.from({ length: times }, () => Buffer.from(each))]);
      const heap = process.memoryUsage();
      const value = decode(bytes) as unknown[];
      const after = process.memoryUsage();
      expect(value.length).toBe(times);
      expect(after.heapUsed + after.external - heap.heapUsed - heap.external).toBeLessThan(bytes.length * 200);
    }
  });

  it("do not take more time than in proportion", () => {
    const times = 100_000;
    const header = new ByteWriter();
    header.u8(0xe0);
    header.varint(times * 101);
    const bytes = Buffer.concat([header.take(), Buffer.from("e16401".repeat(times), "hex")]);
    const start = performance.now();
    expect((decode(bytes) as unknown[]).length).toBe(times * 101);
    expect(performance.now() - start).toBeLessThan(2000);
  });

  it("can't set the prototype of what they fill", () => {
    const writer = new ByteWriter();
    encode(
      JSON.parse('{"__proto__": {"polluted": true}, "a": {"constructor": {"prototype": {"polluted": true}}}}'),
      writer,
    );
    const value = decode(writer.buf, 0, writer.pos) as object;
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(Object.hasOwn(value, "__proto__")).toBe(true);
    expect("polluted" in value).toBe(false);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });

  it("ran no code of a class and changed no built-in object, in all of the above", () => {
    expect(owned()).toBe(before);
    expect(Object.getPrototypeOf(singleton)).toBe(Function.prototype);
    expect([constructed, touched]).toEqual([0, 0]);
  });
});
