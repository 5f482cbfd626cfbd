import { setTimeout as sleep } from "node:timers/promises";
import { expect, it, onTestFinished, vi } from "vitest";
import { patienceMs, Stillness } from "./stillness.ts";

const block = (ms: number): unknown => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

function watching(limitMs: number): { stillness: Stillness; pauses: number[] } {
  const pauses: number[] = [];
  const stillness = new Stillness(limitMs, (ms) => pauses.push(ms));
  onTestFinished(() => stillness.dispose());
  return { stillness, pauses };
}

it("a pause is told once, before whoever asks goes on", async () => {
  const { stillness, pauses } = watching(2500);
  await sleep(2200);
  stillness.look();
  expect(pauses).toEqual([]);
  block(3000);
  stillness.look();
  stillness.look();
  expect(pauses).toHaveLength(1);
  expect(pauses[0]).toBeGreaterThan(2900);
});

it("a clock that is set is no pause", () => {
  const { stillness, pauses } = watching(2500);
  const wall = Date.now();
  vi.spyOn(Date, "now").mockReturnValue(wall + 86_400_000);
  onTestFinished(() => void vi.restoreAllMocks());
  stillness.look();
  expect(pauses).toEqual([]);
});

it("nodes may have gone a little before their lease, counted from a ping before the pause", () => {
  expect([0, 3000, 10_000, 600_000].map(patienceMs)).toEqual([15_000, 3000, 6000, 15_000]);
});
