import { describe, expect, it } from "vitest";
import { NodeClock } from "./node-clock.ts";

describe("NodeClock", () => {
  it("finds how far a node's clock is ahead, however slow the way and whichever half of it is slower", () => {
    const clock = new NodeClock();
    expect(clock.aheadMs).toBeNaN();
    let now = 1_000_000;
    for (const [there, back] of [
      [40, 10],
      [5, 6],
      [200, 1],
      [6, 5],
    ] as const) {
      clock.heard(there + back, now + there + 3_600_000, now + there + back);
      now += 2000;
    }
    expect(Math.abs(clock.aheadMs - 3_600_000)).toBeLessThan(1);
  });

  it("follows a clock that drifts", () => {
    const clock = new NodeClock();
    for (let n = 0; n < 100; n++) clock.heard(10 + (n % 2) * 40, 2000 * n + 5 + n * 2, 2000 * n + 10);
    expect(Math.abs(clock.aheadMs - 196)).toBeLessThan(25);
  });
});
