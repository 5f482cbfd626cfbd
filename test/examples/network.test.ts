import { describe, expect, it } from "vitest";
import { loadDigits } from "../../examples/digits.ts";
import { crossValidate } from "../../examples/network.ts";

describe("the classifier of the sweep", () => {
  const digits = loadDigits();

  it("learns from 2,000 real pictures, 200 of each digit", () => {
    expect(digits.labels.length).toBe(2000);
    expect(digits.pixels.length).toBe(2000 * 28 * 28);
    for (let digit = 0; digit < 10; digit++) {
      expect(digits.labels.filter((label) => label === digit).length).toBe(200);
    }
  });

  it("reads more than 85 % of pictures that it has not seen, and the same ones each time", () => {
    const setting = { hidden: 32, rate: 0.02 };
    const share = crossValidate(digits, setting, 0, 5);
    expect(share).toBeGreaterThan(0.85);
    expect(crossValidate(digits, setting, 0, 5)).toBe(share);
  });
});
