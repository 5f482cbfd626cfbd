import { describe, expect, it } from "vitest";
import type { KeptMachine } from "../../providers/provider.ts";
import { chooseKept } from "./choose-kept.ts";

const machine = (rank: number, provider = "container"): KeptMachine => ({
  name: `${provider}-${rank}`,
  provider,
  rank,
  data: {},
});
const fits = (one: KeptMachine): string | undefined =>
  one.provider === "container" ? undefined : `it is a machine of ${one.provider}`;

describe("chooseKept", () => {
  it("takes what fits as the node that it was, and leaves what a smaller run has no place for", () => {
    const machines = [0, 1, 2].map((rank) => machine(rank));
    expect(chooseKept({ machines }, new Set([0, 1]), fits)).toEqual({
      taken: machines.slice(0, 2),
      left: machines.slice(2),
      reasons: [],
    });
    expect(chooseKept({ machines }, new Set([0, 1, 2, 3]), fits)).toMatchObject({ taken: machines, left: [] });
  });

  it("says once for each reason why machines are left", () => {
    const machines = [machine(0), machine(1, "aws"), machine(2, "aws")];
    const { taken, left, reasons } = chooseKept({ machines }, new Set([0, 1, 2]), fits);
    expect([taken, left]).toEqual([machines.slice(0, 1), machines.slice(1)]);
    expect(reasons).toEqual(["it is a machine of aws (2 of 3)"]);
  });
});
