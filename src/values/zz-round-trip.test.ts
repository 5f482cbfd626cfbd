import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Money, Point, hooks as vectorHooks } from "../../test/vectors/values/build.ts";
import { difference } from "../../test/vectors/values/same.ts";
import { ByteWriter } from "./byte-writer.ts";
import { decode } from "./decode.ts";
import { encode } from "./encode.ts";
import type { DecodeHooks, EncodeHooks } from "./hooks.ts";

/** Some bytes travel out of band, each time as a copy that is given away. */
const out: Uint8Array[] = [];
const hooks: EncodeHooks & DecodeHooks = {
  ...vectorHooks,
  limits: { externalFrom: 24 },
  external: (data) => (data.length % 2 === 0 ? out.push(data) - 1 : undefined),
  resolveExternal: (index) => new Uint8Array(out[index]!),
};

/** Where an object of the graph stands for a value. */
class Edge {
  readonly to: number;
  constructor(to: number) {
    this.to = to;
  }
}

type Slot = unknown;

interface Spec {
  readonly kind: (typeof KINDS)[number];
  readonly keys: readonly string[];
  readonly slots: readonly Slot[];
}

const KINDS = ["object", "null", "array", "sparse", "map", "set", "point", "error", "aggregate", "symbols"] as const;

const scalar = fc.oneof(
  fc.integer(),
  fc.integer({ min: -200, max: 200 }),
  fc.double(),
  fc.constantFrom<unknown>(
    undefined,
    null,
    true,
    false,
    -0,
    NaN,
    Infinity,
    -Infinity,
    Symbol.for("k"),
    Symbol.iterator,
  ),
  fc.string({ unit: "grapheme", maxLength: 40 }),
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 12 }).map((units) => String.fromCharCode(...units)),
  fc.bigInt(),
  fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }),
);
const bytes = fc.uint8Array({ maxLength: 64 });
const leafObject = fc.oneof(
  fc.date({ noInvalidDate: false }),
  bytes,
  bytes.map((b) => Buffer.from(b)),
  bytes.map((b) => b.buffer),
  bytes.map((b) => new DataView(b.buffer)),
  bytes.map((b) => {
    const shared = new SharedArrayBuffer(b.length);
    new Uint8Array(shared).set(b);
    return new Uint8Array(shared);
  }),
  fc.float64Array({ maxLength: 8 }),
  fc.int16Array({ maxLength: 8 }),
  fc.bigInt64Array({ maxLength: 4 }),
  fc.array(fc.double(), { minLength: 8, maxLength: 50 }),
  fc.constantFrom(/a/gi, /\//u, new URL("http://a/b?c"), new URLSearchParams("a=1")),
  fc.oneof(fc.integer(), fc.string(), fc.boolean()).map((p) => Object(p) as object),
  fc.string().map((text) => new Money(text)),
);
const key = fc.oneof(
  fc.constantFrom("a", "b", "c", "__proto__", "constructor", "7", "length", "cause"),
  fc.string({ maxLength: 12 }),
);
const graph = fc.array(
  fc.record<Spec>({
    kind: fc.constantFrom(...KINDS),
    keys: fc.uniqueArray(key, { minLength: 6, maxLength: 6 }),
    slots: fc.array<Slot>(
      fc.oneof(
        scalar,
        leafObject,
        fc.nat(19).map((n) => new Edge(n)),
      ),
      { maxLength: 6 },
    ),
  }),
  { minLength: 1, maxLength: 20 },
);

/** Objects first, then what they hold: any object may hold any other, itself too. */
function build(specs: readonly Spec[]): unknown[] {
  const nodes = specs.map((spec) => empty(spec));
  for (const [i, { kind, keys, slots }] of specs.entries()) {
    const node = nodes[i];
    for (const [n, slot] of slots.entries()) {
      const value = slot instanceof Edge ? nodes[slot.to % nodes.length] : slot;
      if (kind === "array") (node as unknown[]).push(value);
      else if (kind === "sparse") (node as unknown[])[n * n * 3] = value;
      else if (kind === "map")
        (node as Map<unknown, unknown>).set(slots[n - 1] instanceof Edge ? node : slots[n - 1], value);
      else if (kind === "set") (node as Set<unknown>).add(value);
      else if (kind === "aggregate") (node as AggregateError).errors.push(value);
      else if (kind === "error" && n === 0)
        Object.defineProperty(node, "cause", { value, writable: true, configurable: true });
      else {
        const name = kind === "symbols" ? Symbol.for(keys[n]!) : kind === "error" ? `x${keys[n]!}` : keys[n]!;
        Object.defineProperty(node, name, { value, enumerable: true, writable: true, configurable: true });
      }
    }
  }
  return nodes;
}

function empty({ kind, keys }: Spec): object {
  switch (kind) {
    case "null":
      return Object.create(null) as object;
    case "array":
    case "sparse":
      return [];
    case "map":
      return new Map();
    case "set":
      return new Set();
    case "point":
      return new Point();
    case "error":
      return new RangeError(keys[0]);
    case "aggregate":
      return new AggregateError([], keys[0]);
    default:
      return {};
  }
}

describe("any value", () => {
  it("arrives equal, with the identity of its objects", () => {
    const writer = new ByteWriter(16);
    fc.assert(
      fc.property(graph, fc.nat(100), (specs, offset) => {
        const value = build(specs);
        writer.reset();
        out.length = 0;
        for (let i = 0; i < offset; i++) writer.u8(0xff);
        encode(value, writer, hooks);
        const arrived = decode(Buffer.from(writer.buf.subarray(0, writer.pos)), offset, writer.pos, hooks);
        expect(difference(value, arrived)).toBeUndefined();
      }),
      { numRuns: 15 * 2000 },
    );
  });

  it("has one encoding: what arrived is encoded to the same bytes", () => {
    fc.assert(
      fc.property(graph, (specs) => {
        out.length = 0;
        const once = new ByteWriter();
        encode(build(specs), once, hooks);
        const arrived = decode(once.buf, 0, once.pos, hooks);
        out.length = 0;
        const twice = new ByteWriter();
        encode(arrived, twice, hooks);
        expect(twice.take().equals(once.take())).toBe(true);
      }),
      { numRuns: 15 * 500 },
    );
  });

  it("that fast-check can think of", () => {
    const anything = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withTypedArray: true,
      withNullPrototype: true,
      withSparseArray: true,
      withBoxedValues: true,
    });
    const writer = new ByteWriter();
    fc.assert(
      fc.property(anything, (value) => {
        writer.reset();
        encode(value, writer);
        expect(difference(value, decode(writer.buf, 0, writer.pos))).toBeUndefined();
      }),
      { numRuns: 15 * 2000 },
    );
  });
});
