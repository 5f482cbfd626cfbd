import { pbkdf2, randomBytes } from "node:crypto";
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { blockHash, HASH_BLOCK_BYTES } from "./block-hash.ts";
import { type BulkKind, BulkOp, bulkHeader } from "./bulk-message.ts";
import { BulkReader } from "./bulk-reader.ts";

const MB = 1024 * 1024;

/** The messages of one channel. */
function messages(parts: readonly Buffer[], kind: BulkKind, pieceBytes: number): Buffer {
  const all = Buffer.concat(parts);
  const open = Buffer.alloc(5 + parts.length * 8);
  open[0] = kind;
  for (const [index, part] of parts.entries()) open.writeDoubleLE(part.length, 5 + index * 8);
  const out = [bulkHeader(BulkOp.OPEN, 1, open.length), open];
  for (let at = 0; at < all.length;) {
    const block = HASH_BLOCK_BYTES - (at % HASH_BLOCK_BYTES);
    const size = Math.min(pieceBytes, all.length - at, kind === 1 ? block : Infinity);
    out.push(bulkHeader(BulkOp.DATA, 1, size), all.subarray(at, (at += size)));
    if (kind === 0 || (size < block && at < all.length)) continue;
    const hash = blockHash([all], at);
    out.push(bulkHeader(BulkOp.HASH, 1, hash.length), hash);
  }
  return Buffer.concat(out);
}

/** A reader, and when its one channel is complete. */
function reader(): { reader: BulkReader; arrived: Promise<number> } {
  let done!: (channel: number) => void;
  const arrived = new Promise<number>((resolve) => (done = resolve));
  const made = new BulkReader({
    arrived: (channel) => done(channel),
    transferred: () => undefined,
    acknowledge: () => undefined,
    acknowledged: () => undefined,
    later: (run) => run(),
  });
  return { reader: made, arrived };
}

function same(taken: readonly Uint8Array[], parts: readonly Buffer[]): void {
  expect(taken.map((part) => part.byteLength)).toEqual(parts.map((part) => part.length));
  for (const [index, part] of parts.entries()) expect(part.equals(taken[index]!)).toBe(true);
}

const parts = [randomBytes(1000), Buffer.alloc(0), randomBytes(70 * MB + 3), randomBytes(40 * MB), Buffer.alloc(0)];

for (const kind of [0, 1] as const)
  describe(kind === 0 ? "a value for one taker" : "a shared value", () => {
    it.each([
      ["at once", 200 * MB, 1 * MB],
      ["in arrivals of some size, each in a turn", 700_001, 1 * MB],
      ["in one message", 3 * MB, 200 * MB],
    ])("arrives whole: %s", async (_, arrivalBytes, pieceBytes) => {
      const { reader: one, arrived } = reader();
      const bytes = messages(parts, kind, pieceBytes);
      for (let at = 0; at < bytes.length; at += arrivalBytes) {
        one.push(bytes.subarray(at, at + arrivalBytes));
        await turn();
      }
      same(one.take(await arrived).parts, parts);
    });

    it("arrives whole while threads that should touch its memory are busy", async () => {
      const { reader: one, arrived } = reader();
      const bytes = messages(parts, kind, 1 * MB);
      for (let i = 0; i < 8; i++) pbkdf2("a", "b", 100_000, 64, "sha512", () => undefined);
      one.push(bytes);
      expect(one.complete(1) === undefined).toBe(true);
      same(one.take(await arrived).parts, parts);
    });

    it("arrives whole where it is read to the place that the reader says", async () => {
      const { reader: one, arrived } = reader();
      const bytes = messages(parts, kind, 1 * MB);
      for (let at = 0; at < bytes.length;) {
        const size = bytes.copy(one.room(), 0, at, at + 300_000);
        one.filled(size);
        at += size;
        if (at % 7 === 0) await turn();
      }
      same(one.take(await arrived).parts, parts);
    });
  });

it("goes on after a cut in the middle of a part that is being touched", async () => {
  const { reader: one, arrived } = reader();
  const bytes = messages(parts, 1, 1 * MB);
  one.push(bytes.subarray(0, 30 * MB));
  one.restart();
  const certain = one.receivedOf(1);
  expect(certain).toBeGreaterThan(20 * MB);
  const all = Buffer.concat(parts);
  for (let at = certain; at < all.length;) {
    const size = Math.min(HASH_BLOCK_BYTES, all.length - at);
    one.push(bulkHeader(BulkOp.DATA, 1, size));
    one.push(all.subarray(at, (at += size)));
    const hash = blockHash([all], at);
    one.push(Buffer.concat([bulkHeader(BulkOp.HASH, 1, hash.length), hash]));
  }
  same(one.take(await arrived).parts, parts);
});
