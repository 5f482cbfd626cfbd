// `large-cuts.ts SEED`: links are cut while large values pass; each arrives whole, once, over one bulk link per node at most.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { Duplex } from "node:stream";
import * as sky from "skyward";
import { wrapMachines } from "../../support/wrap-machines.ts";
import { cutting } from "../cuts.ts";

const MB = 1024 * 1024;
const seed = Number(process.argv[2] ?? Date.now() % 1e9);
const ssh =
  process.env["SSH"] === undefined
    ? undefined
    : (JSON.parse(process.env["SSH"]) as { hosts: string[]; key: string; knownHosts: string });
console.log(`seed ${seed}`);

const hash = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const noise = (bytes: number, start: number): Uint8Array => {
  const out = new Uint8Array(bytes);
  for (let i = 0, x = start; i < bytes; i++) out[i] = (x = Math.imul(x, 1103515245) + 12345) >>> 24;
  return out;
};
const turn = sky.fn((n: number, bytes: Uint8Array, table: Uint8Array) => ({
  n,
  attempt: sky.task().attempt,
  got: createHash("sha256").update(bytes).update(table).digest("hex"),
  back: bytes.reverse(),
}));

/** Bulk links by machine, and the most that stood at a time. */
const links = new Map<object, Duplex[]>();
let most = 0;
let opened = 0;
const counted = wrapMachines(ssh === undefined ? sky.local() : sky.ssh(ssh), (machine) => ({
  connect: async (kind, key, signal) => {
    const stream = await machine.connect(kind, key, signal);
    if (kind !== "bulk") return stream;
    const standing = (links.get(machine) ?? []).filter((one) => !one.destroyed);
    links.set(machine, [...standing, stream]);
    most = Math.max(most, standing.length + 1);
    opened++;
    return stream;
  },
}));
const cuts = cutting(counted, { seed, everyMs: ssh ? 150 : 40, everyBytes: MB / 2, patient: true });

await sky.compute(
  { nodes: 2, provider: cuts.provider, worker: { concurrency: 2 }, console: "silent" },
  async (pool) => {
    await pool.broadcast(turn(0, new Uint8Array(1), new Uint8Array(1)));
    const table = noise(6 * MB, 99);
    using ref = pool.put(table);
    cuts.start();
    const sent = Array.from({ length: ssh ? 6 : 16 }, (_, n) => noise(3 * MB + n * 1000, n + 1));
    const results = await pool.starmap(
      turn,
      sent.map((bytes, n) => [n, bytes, ref] as const),
    );
    cuts.stop();
    for (const [n, result] of results.entries()) {
      const whole = createHash("sha256").update(sent[n]!).update(table).digest("hex");
      assert.deepEqual([result.n, result.got, result.attempt], [n, whole, 1]);
      assert.equal(hash(result.back), hash(sent[n]!.toReversed()));
    }
    console.log(`${cuts.counts.bulk} bulk links cut, ${opened} opened`);
    assert.equal(most, 1);
  },
);
console.log("done");
