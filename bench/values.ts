/**
 * How fast values are encoded and decoded, beside `v8.serialize`, `structuredClone` and JSON. Prints JSON lines.
 * Run: npx tsx bench/values.ts
 */
import { deserialize, serialize } from "node:v8";
import { ByteWriter } from "../src/values/byte-writer.ts";
import { decode } from "../src/values/decode.ts";
import { encode } from "../src/values/encode.ts";

interface Case {
  readonly name: string;
  readonly make: (i: number) => unknown;
  readonly times: number;
}

const rows = Array.from({ length: 100_000 }, (_, i) => ({
  id: i,
  name: `row ${i}`,
  score: i / 7,
  ok: i % 2 === 0,
  tags: ["a", "b"],
}));
const floats = new Float64Array(1_310_720).fill(0.5);
const numbers = Array.from({ length: 1_000_000 }, (_, i) => i / 3);

const CASES: readonly Case[] = [
  { name: "undefined", make: () => undefined, times: 2e6 },
  { name: "small int", make: (i) => i & 63, times: 2e6 },
  { name: "int", make: (i) => 1_000_000 + i, times: 2e6 },
  { name: "float", make: (i) => i + 0.5, times: 2e6 },
  { name: "string of 10", make: (i) => (i & 1 ? "abcdefghij" : "klmnopqrst"), times: 1e6 },
  { name: "{a, b}", make: (i) => ({ a: i, b: 2 }), times: 5e5 },
  { name: "[lr, n, s]", make: (i) => [0.1, i, "adam"], times: 5e5 },
  {
    name: "mixed",
    make: (i) => ({ id: i, at: new Date(i), set: new Set([1, 2]), list: [{ x: 1 }, { x: 2 }] }),
    times: 1e5,
  },
  { name: "100k objects", make: () => rows, times: 5 },
  { name: "1M floats in an array", make: () => numbers, times: 5 },
  { name: "10 MB Float64Array", make: () => floats, times: 20 },
];

function perCall(times: number, body: (i: number) => void): number {
  let best = Infinity;
  for (let i = 0; i < Math.min(times, 20_000); i++) body(i);
  for (let round = 0; round < 3; round++) {
    const start = performance.now();
    for (let i = 0; i < times; i++) body(i);
    best = Math.min(best, (performance.now() - start) / times);
  }
  return Math.round(best * 1e7) / 10;
}

let sink: unknown;
for (const { name, make, times } of CASES) {
  const writer = new ByteWriter();
  encode(make(1), writer);
  const bytes = writer.take();
  const v8Bytes = serialize(make(1));
  const json = JSON.stringify(make(1)) as string | undefined;
  const slow = Math.max(3, Math.floor(times / 8));
  const line = {
    bench: "values",
    case: name,
    bytes: bytes.length,
    encodeNs: perCall(times, (i) => {
      writer.pos = 0;
      encode(make(i), writer);
    }),
    decodeNs: perCall(times, () => (sink = decode(bytes, 0, bytes.length))),
    v8EncodeNs: perCall(slow, (i) => (sink = serialize(make(i)))),
    v8DecodeNs: perCall(slow, () => (sink = deserialize(v8Bytes))),
    cloneNs: perCall(slow, (i) => (sink = structuredClone(make(i)))),
    jsonEncodeNs: perCall(slow, (i) => (sink = JSON.stringify(make(i)))),
    jsonDecodeNs: json === undefined ? null : perCall(slow, () => (sink = JSON.parse(json))),
  };
  console.log(JSON.stringify(line));
}
void sink;
