import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { difference } from "../../test/vectors/values/same.ts";
import { ByteWriter } from "./byte-writer.ts";
import { decode } from "./decode.ts";
import { encode } from "./encode.ts";
import type { DecodeHooks, EncodeHooks } from "./hooks.ts";

function sent(value: unknown, hooks?: EncodeHooks): Buffer {
  const writer = new ByteWriter(16);
  encode(value, writer, hooks);
  return writer.take();
}

function cross<T>(value: T, hooks?: EncodeHooks & DecodeHooks): T {
  const bytes = sent(value, hooks);
  return decode(bytes, 0, bytes.length, hooks) as T;
}

describe("values that arrive as they were", () => {
  const cases: Record<string, unknown> = {
    undefined: undefined,
    "numbers at every edge": [
      0,
      -0,
      127,
      128,
      -128,
      -129,
      32767,
      32768,
      -32769,
      2 ** 31 - 1,
      2 ** 31,
      -(2 ** 31),
      2 ** 53,
      5e-324,
      NaN,
      Infinity,
    ],
    "texts of every length around a header": [30, 31, 32, 84, 85, 86, 255, 256, 65535, 70000].map(
      (n) => "é".repeat(n / 2) + "x".repeat(n),
    ),
    "lone surrogates": ["\ud800", "a\udfff", `${"x".repeat(300)}\ud83d`],
    bigints: [0n, -1n, 2n ** 63n, -(2n ** 63n), 2n ** 64n, -(2n ** 200n), 12345678901234567890n],
    "nested collections": new Map<unknown, unknown>([[{ a: 1 }, new Set([new Map([[NaN, -0]])])]]),
    dates: [new Date(0), new Date(-1.5e12), new Date(NaN)],
    "a sticky regular expression": /(?<year>\d{4})/dgy,
    urls: [new URL("https://user:pw@example.com:8080/a?b#c"), new URLSearchParams("a=1&a=2")],
    "boxed primitives": [Object(1), Object("text"), Object(false), Object(1n), Object(Symbol.for("x"))],
    symbols: [Symbol.for("a"), Symbol.asyncIterator],
    "symbol keys": { [Symbol.for("k")]: 1, [Symbol.iterator]: 2, a: 3 },
    "no prototype": Object.assign(Object.create(null) as object, { a: 1, [Symbol.for("k")]: 2 }),
    "a match": "xabcx".match(/b(?<c>c)/),
    holes: [, 1, , 2, ,], // oxlint-disable-line no-sparse-arrays
    buffers: [new ArrayBuffer(3), new Uint8Array([1, 2]).buffer, Buffer.from("text"), new DataView(new ArrayBuffer(4))],
    "every typed array": [
      Int8Array,
      Uint8Array,
      Uint8ClampedArray,
      Int16Array,
      Uint16Array,
      Int32Array,
      Uint32Array,
      Float32Array,
      Float64Array,
    ].map((Kind) => Kind.from([1, 2, 3])),
    "big typed arrays": [BigInt64Array.of(-1n), BigUint64Array.of(2n ** 64n - 1n)],
    "shared memory": new Int32Array(new SharedArrayBuffer(8)),
    "a thousand floats": Array.from({ length: 1000 }, (_, i) => i / 7),
    "more lists of keys than are remembered": Array.from({ length: 50 }, (_, i) => ({ [`k${i % 20}`]: i, z: i })),
    "more objects than a scan would take": Array.from({ length: 5000 }, (_, i) => ({ i })),
    "keys of the prototype": JSON.parse('{"__proto__": {"polluted": 1}, "constructor": 2, "toString": 3}'),
    "keys that are numbers": { 2: "b", 1: "a", x: "c" },
    "70 keys, twice": [0, 1].map(() => Object.fromEntries(Array.from({ length: 70 }, (_, i) => [`key${i}`, i]))),
  };
  for (const [name, value] of Object.entries(cases)) {
    it(name, () => expect(difference(value, cross(value))).toBeUndefined());
  }

  it("keeps -0 and NaN in packed floats", () => {
    const floats = [0.1, 0.2, -0, NaN, 0.3, 0.4, 0.5, 0.6];
    expect(difference(floats, cross(floats))).toBeUndefined();
  });

  it("turns what other realms call objects into objects of this one", () => {
    const foreign: unknown = runInNewContext(
      "({ list: [1, new Map([[1, new Date(5)]])], error: new TypeError('x'), bytes: new Uint8Array([1]) })",
    );
    const here = cross(foreign) as { list: unknown[]; error: Error; bytes: Uint8Array };
    expect(here.list[1]).toStrictEqual(new Map([[1, new Date(5)]]));
    expect(here.error).toBeInstanceOf(TypeError);
    expect(here.bytes).toStrictEqual(new Uint8Array([1]));
  });

  it("drops symbols that only this process has", () => {
    expect(Reflect.ownKeys(cross({ a: 1, [Symbol("mine")]: 2 }))).toEqual(["a"]);
  });

  it("reads getters once, as structured clone does", () => {
    expect(
      cross({
        get a() {
          return 1;
        },
      }),
    ).toStrictEqual({ a: 1 });
  });
});

describe("sparse arrays", () => {
  it("cost what they hold, not their length", () => {
    const array: number[] = [];
    array[4_000_000_000] = 1;
    const bytes = sent(array);
    expect(bytes.length).toBeLessThan(20);
    const arrived = decode(bytes) as number[];
    expect(arrived.length).toBe(4_000_000_001);
    expect(Object.keys(arrived)).toEqual(["4000000000"]);
  });

  it("may be changed after they arrived", () => {
    const arrived = cross(new Array<number>(1000));
    for (let i = 0; i < 1000; i++) arrived[i] = i;
    expect(arrived.reduce((a, b) => a + b)).toBe(499_500);
  });
});

describe("identity", () => {
  it("is kept for shared objects and cycles", () => {
    const shared = { n: 1 };
    const value: Record<string, unknown> = { a: shared, list: [shared, new Date(1)], map: new Map([[shared, shared]]) };
    value["self"] = value;
    const arrived = cross(value) as { a: object; list: object[]; map: Map<object, object>; self: unknown };
    expect(arrived.self).toBe(arrived);
    expect(arrived.list[0]).toBe(arrived.a);
    expect(arrived.map.get(arrived.a)).toBe(arrived.a);
  });

  it("is kept for the buffer of views that cover it", () => {
    const buffer = new ArrayBuffer(8);
    const [bytes, floats, raw, part] = cross([
      new Uint8Array(buffer),
      new Float64Array(buffer),
      buffer,
      new Uint8Array(buffer, 2, 3),
    ] as const);
    expect(floats.buffer).toBe(bytes.buffer);
    expect(raw).toBe(bytes.buffer);
    expect([part.buffer, part.byteOffset, part.length]).toEqual([bytes.buffer, 2, 3]);
  });

  it("costs a slice of a large buffer only the slice", () => {
    const bytes = sent(new Float64Array(100_000).subarray(10, 12));
    expect(bytes.length).toBeLessThan(24);
    expect((decode(bytes) as Float64Array).buffer.byteLength).toBe(16);
  });

  it("leaves nothing of the message in the value", () => {
    const bytes = sent([new Uint8Array([1, 2, 3]), Buffer.from([4])]);
    const [view, buffer] = decode(bytes) as [Uint8Array, Buffer];
    bytes.fill(0);
    expect([...view, ...buffer]).toEqual([1, 2, 3, 4]);
  });
});

describe("out of band", () => {
  it("gives large bytes to the caller and takes its buffer back without a copy", () => {
    const floats = new Float64Array(10_000).fill(0.5);
    const out: Uint8Array[] = [];
    const bytes = sent({ floats, small: new Uint8Array(8) }, { external: (b) => out.push(b) - 1 });
    expect(bytes.length).toBeLessThan(64);
    expect(out.map((b) => b.buffer)).toEqual([floats.buffer]);
    const given = new Uint8Array(out[0]!);
    const arrived = decode(bytes, 0, bytes.length, { resolveExternal: () => given }) as { floats: Float64Array };
    expect(arrived.floats).toStrictEqual(floats);
    expect(arrived.floats.buffer).toBe(given.buffer);
  });

  it("copies a part of a larger buffer, which is not the value's to keep", () => {
    const bytes = sent(new Float64Array(10_000), { external: () => 0 });
    const pool = new Uint8Array(80_008);
    const arrived = decode(bytes, 0, bytes.length, { resolveExternal: () => pool.subarray(8) }) as Float64Array;
    expect(arrived.buffer.byteLength).toBe(80_000);
  });

  it("copies where the hook declines", () => {
    const value = new Uint8Array(100_000).fill(7);
    expect(cross(value, { external: () => undefined })).toStrictEqual(value);
  });

  it("carries blobs and files", async () => {
    const sources = [new Blob(["abc"], { type: "text/plain" }), new File(["z"], "z.txt", { lastModified: 5 })];
    const parts = new Map<Blob, Uint8Array>();
    for (const each of sources) parts.set(each, new Uint8Array(await each.arrayBuffer()));
    const arrived = cross([...sources, sources[0]!], { blob: (blob) => parts.get(blob) });
    expect(await Promise.all(arrived.map((each) => each.text()))).toEqual(["abc", "z", "abc"]);
    expect(arrived[0]!.type).toBe("text/plain");
    expect(arrived[1]).toMatchObject({ name: "z.txt", lastModified: 5 });
    expect(arrived[2]).toBe(arrived[0]);
  });
});

describe("functions", () => {
  it("are what the hooks say, and keep their identity", () => {
    const known = { double: (n: number) => n * 2 };
    const hooks = {
      function: () => ({ name: "double" }),
      resolveFunction: (state: unknown) => known[(state as { name: "double" }).name],
    };
    const [a, b] = cross([known.double, known.double], hooks);
    expect(a).toBe(known.double);
    expect(b).toBe(a);
  });
});

describe("depth", () => {
  const nested = (levels: number, wrap: (inner: unknown) => unknown): unknown => {
    let value: unknown = 1;
    for (let i = 0; i < levels; i++) value = wrap(value);
    return value;
  };

  for (const [name, wrap] of Object.entries({
    objects: (inner: unknown) => ({ inner }),
    arrays: (inner: unknown) => [inner],
    maps: (inner: unknown) => new Map([[1, inner]]),
  })) {
    it(`of 1000 ${name} is no problem`, () => {
      const value = nested(1000, wrap);
      expect(sent(cross(value)).equals(sent(value))).toBe(true);
    });

    it(`of 100000 ${name} is refused on both ends`, () => {
      expect(() => sent(nested(100_000, wrap))).toThrow(expect.objectContaining({ code: "SKY_VALUE_LIMIT" }));
    });
  }

  it("is bounded while decoding, by the limit and by the stack", () => {
    const deep = Buffer.alloc(1_000_000, 0xa1);
    for (const depth of [1200, 1e9]) {
      expect(() => decode(deep, 0, deep.length, { limits: { depth } })).toThrow(
        expect.objectContaining({ code: "SKY_VALUE_LIMIT" }),
      );
    }
  });
});

describe("size", () => {
  it("is bounded on both ends", () => {
    const limits = { bytes: 1000 };
    for (const value of ["x".repeat(2000), new Uint8Array(2000), Array.from({ length: 900 }, () => [1])]) {
      expect(() => sent(value, { limits })).toThrow(expect.objectContaining({ code: "SKY_VALUE_LIMIT" }));
      const bytes = sent(value);
      expect(() => decode(bytes, 0, bytes.length, { limits })).toThrow(
        expect.objectContaining({ code: "SKY_VALUE_LIMIT" }),
      );
    }
  });
});

describe("the encoder", () => {
  it("appends nothing when it fails, and works afterwards", () => {
    const writer = new ByteWriter();
    encode("before", writer);
    const { pos } = writer;
    expect(() => encode([{ a: [1, 2, Promise.resolve()] }], writer)).toThrow("value[0].a[2]");
    expect(writer.pos).toBe(pos);
    encode([1], writer);
    expect(decode(writer.buf, pos, writer.pos)).toEqual([1]);
  });

  it("can be used by a hook while it runs", () => {
    const hooks: EncodeHooks & DecodeHooks = {
      function: () => sent({ inner: [1, 2] }),
      resolveFunction: (state) => {
        const inner = decode(state as Buffer);
        return () => inner;
      },
    };
    const shared = {};
    const [a, f, b] = cross([shared, () => 0, shared] as unknown[], hooks) as [object, () => unknown, object];
    expect(b).toBe(a);
    expect(f()).toEqual({ inner: [1, 2] });
  });
});
