import fc from "fast-check";
import { expect, it } from "vitest";
import { Lanes } from "./lanes.ts";

it("puts what `slots` machines did one after the other on so many rows, none over another", () => {
  const work = fc.array(fc.tuple(fc.nat(20), fc.integer({ min: 1, max: 50 })), { maxLength: 60 });
  fc.assert(
    fc.property(fc.array(work, { minLength: 1, maxLength: 8 }), (slots) => {
      const spans = slots.flatMap((list) => {
        let at = 0;
        return list.map(([pause, length]) => ({ start: (at += pause), end: (at += length) }));
      });
      spans.sort((a, b) => a.end - b.end);
      const lanes = new Lanes();
      const ends: number[] = [];
      for (const { start, end } of spans) {
        const { lane } = lanes.place(start, end);
        expect(ends[lane] ?? 0).toBeLessThanOrEqual(start);
        ends[lane] = end;
      }
      expect(lanes.size).toBeLessThanOrEqual(slots.length);
    }),
  );
});
