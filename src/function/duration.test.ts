import fc from "fast-check";
import { expect, test } from "vitest";
import { SkyError } from "../errors/sky-error.ts";
import { parseDuration } from "./duration.ts";

test.each([
  ["250ms", 250],
  ["1.5s", 1500],
  ["10m", 600_000],
  ["1h30m", 5_400_000],
  ["1h 30m", 5_400_000],
  ["2d", 172_800_000],
  ["0s", 0],
])("%s is %d ms", (text, ms) => {
  expect(parseDuration(text, "timeout")).toBe(ms);
});

test.each([[600], ["600"], [""], ["10 minutes"], ["-5s"], ["1e3s"], [null], [{}], ["5000d"]])(
  "%j is refused, with the field's name",
  (value) => {
    expect(() => parseDuration(value, "timeout")).toThrow(
      expect.objectContaining({ code: "SKY_BAD_DURATION", message: expect.stringContaining("timeout") }),
    );
  },
);

test("a bare number is answered with how to write it", () => {
  expect(() => parseDuration(600, "timeout")).toThrow(/"600s"/);
  expect(() => parseDuration(5000, "timeout")).toThrow(/"5000ms" or "5000s"/);
});

test("any text gives milliseconds or a SkyError", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9.]{1,4}(ms|s|m|h|d)?$/)), (text) => {
      try {
        expect(parseDuration(text, "x")).toBeGreaterThanOrEqual(0);
      } catch (error) {
        expect(error).toBeInstanceOf(SkyError);
      }
    }),
  );
});
