import fc from "fast-check";
import { expect, it } from "vitest";
import { Frames, frameOf } from "./frames.ts";

it("messages are the same wherever the stream was cut", () => {
  const message = fc.oneof(
    fc.uint8Array({ maxLength: 50 }),
    fc.record({ type: fc.string(), value: fc.uint8Array({ maxLength: 20 }) }),
  );
  fc.assert(
    fc.property(fc.array(message), fc.array(fc.nat()), (messages, cuts) => {
      const got: unknown[] = [];
      const frames = new Frames<unknown>((one) => got.push(one));
      const bytes = Buffer.concat(messages.map(frameOf));
      const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
      for (const [index, end] of places.slice(1).entries())
        frames.push(Buffer.from(bytes.subarray(places[index], end)));
      expect(got).toEqual(messages);
    }),
  );
});
