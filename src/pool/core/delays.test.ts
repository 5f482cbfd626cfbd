import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Delays } from "./delays.ts";

describe("Delays", () => {
  it("gives what is due, the earliest first, and keeps the rest", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(100)), fc.array(fc.nat(100)), (times, looks) => {
        const delays = new Delays<number>();
        for (const at of times) delays.add(at, at);
        let left = [...times].sort((a, b) => a - b);
        for (const now of looks) {
          expect(delays.take(now)).toEqual(left.filter((at) => at <= now));
          left = left.filter((at) => at > now);
          expect(delays.next).toBe(left[0]);
          expect(delays.size).toBe(left.length);
        }
      }),
    );
  });
});
