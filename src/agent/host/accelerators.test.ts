import { expect, it } from "vitest";
import { acceleratorOf, ownAccelerator } from "./accelerators.ts";

it("tells kind, number and memory of what nvidia-smi lists", () => {
  const of = (...lines: string[]): unknown => {
    const found = acceleratorOf(`${lines.join("\n")}\n`);
    return found && [found.type, found.count, found.memoryGb, found.isTrainium];
  };
  const a100 = "NVIDIA A100-SXM4-80GB, 81920";
  expect(of(a100, a100, a100)).toEqual(["A100", 3, 80, false]);
  expect(of("NVIDIA H100 80GB HBM3, 81559")).toEqual(["H100", 1, 80, false]);
  expect(of("Tesla V100-SXM2-16GB, 16384")).toEqual(["V100", 1, 16, false]);
  expect(of("NVIDIA L40S, 46068")).toEqual(["L40S", 1, 45, false]);
  expect(of("NVIDIA GeForce RTX 4090, 24564")).toEqual(["RTX 4090", 1, 24, false]);
  expect(of("NVIDIA RTX 6000 Ada Generation, 49140")).toEqual(["RTX 6000 Ada", 1, 48, false]);
  expect(of("NVIDIA GB10, [N/A]")).toEqual(["GB10", 1, null, false]);
  expect(of("")).toBeNull();
});

it("is none where there is no such tool", async () => {
  expect(await ownAccelerator("/nowhere:/etc")).toBeNull();
});
