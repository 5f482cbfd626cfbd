import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, it } from "vitest";
import { LATER } from "../share.ts";
import { CLAIM_BYTES, ClaimFile } from "./claim-file.ts";
import { HostClaims } from "./host-claims.ts";
import { SlotClaims } from "./slot-claims.ts";

it("every item is run by the process or taken back by the host, never both, however their steps mix", () => {
  const dir = mkdtempSync(join(tmpdir(), "claims-"));
  const step: fc.Arbitrary<Step> = fc.oneof(
    fc.record({ kind: fc.constant("give" as const), count: fc.integer({ min: 1, max: 5 }) }),
    fc.record({ kind: fc.constant("cut" as const), count: fc.integer({ min: 1, max: 4 }) }),
    fc.constant({ kind: "claim" } as const),
    fc.constant({ kind: "read" } as const),
  );
  try {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const fd = openSync(join(dir, "claims"), "w+");
        writeSync(fd, new Uint8Array(CLAIM_BYTES));
        try {
          play(fd, steps);
        } finally {
          closeSync(fd);
        }
      }),
      { numRuns: 200 },
    );
  } finally {
    rmSync(dir, { recursive: true });
  }
});

type Step =
  | { readonly kind: "give"; readonly count: number }
  | { readonly kind: "cut"; readonly count: number }
  | { readonly kind: "claim" }
  | { readonly kind: "read" };
type Letter = { readonly word: number; readonly count: number } | { readonly limit: number };

/** Messages lie unread for as long as they like: a process may be blocked. */
function play(fd: number, steps: readonly Step[]): void {
  const host = new HostClaims(new ClaimFile(fd));
  const slot = new SlotClaims(new ClaimFile(fd), () => 0);
  const letters: Letter[] = [];
  const chunks: { word: number; count: number; ran: number }[] = [];
  let unseen = 0;
  const read = (): void => {
    const letter = letters.shift();
    if (!letter) return;
    if ("word" in letter) return slot.arrived(letter.word, letter.count);
    slot.cutTo(letter.limit);
    unseen--;
  };
  const claim = (): boolean => {
    for (const chunk of chunks) {
      const item = slot.claim(chunk.word);
      if (item === LATER) return false;
      if (item < 0) continue;
      expect(item).toBe(chunk.ran++);
      return true;
    }
    return false;
  };
  for (const one of steps) {
    if (one.kind === "read") read();
    else if (one.kind === "claim") claim();
    else if (one.kind === "give") {
      if (unseen > 0) continue;
      const chunk = { word: chunks.length, count: one.count, ran: 0 };
      host.open(chunk.word, chunk.count);
      chunks.push(chunk);
      letters.push({ word: chunk.word, count: chunk.count });
    } else {
      const before = host.given;
      let left = one.count;
      for (const chunk of chunks.toReversed()) {
        const cut = left > 0 ? host.cut(chunk.word, left) : 0;
        chunk.count -= cut;
        left -= cut;
      }
      if (host.given === before) continue;
      unseen++;
      letters.push({ limit: host.given });
    }
  }
  while (letters.length > 0) read();
  while (claim());
  expect(chunks.map(({ ran }) => ran)).toEqual(chunks.map(({ count }) => count));
  expect(host.left).toBe(0);
}
