import { describe, expect, it } from "vitest";
import type { Instance } from "../../providers/cloud-provider.ts";
import type { OpenEntry } from "./entry.ts";
import { appearsWithinMs, settledEntries, type SweepFacts, sweepPlan } from "./sweep-plan.ts";

const machine = (name: string, controller: string, owner = "me"): Instance => ({
  id: `i-${name}`,
  name,
  tags: { owner, controller, pool: "p", intent: name, ttl: "60" },
  state: "running",
  createdAt: 0,
});
const entry = (name: string, more: Partial<OpenEntry> = {}): OpenEntry => ({
  name,
  at: 0,
  provider: { name: "container", options: {} },
  pool: "p",
  controller: "",
  owner: "me",
  ttlS: 600,
  ...more,
});
const facts = (more: Partial<SweepFacts>): SweepFacts => ({
  owner: "me",
  machines: [],
  ledger: [
    { controller: "dead", entries: [entry("a", { id: "i-a" })] },
    { controller: "alive", entries: [entry("b", { id: "i-b" })] },
  ],
  lives: (controller) => controller === "alive",
  named: [],
  now: 0,
  ...more,
});

const over = new Map([["c", 0]]);
const KEPT = [{ controller: "kept-k", entries: [entry("k", { id: "i-k", keptUntil: 1000 })] }];

describe("sweepPlan", () => {
  const cases: [string, Instance, Partial<SweepFacts>, boolean, RegExp][] = [
    ["of an ended controller of this ledger goes", machine("a", "dead"), {}, true, /dead has ended/],
    ["of a living controller stays", machine("b", "alive"), {}, false, /alive is alive/],
    ["of a controller that this ledger does not know stays", machine("c", "x"), {}, false, /not in this ledger/],
    [
      "of a living controller that this ledger does not know stays",
      machine("c", "alive"),
      { ledger: [], leases: over },
      false,
      /is alive/,
    ],
    [
      "of an unknown controller stays while its lease runs",
      machine("c", "x"),
      { leases: new Map([["c", 5.2]]) },
      false,
      /not in this ledger, and its own lease has 6 s left/,
    ],
    [
      "of an unknown controller stays without a lease",
      machine("c", "x"),
      { leases: new Map([["c", Infinity]]), now: 1e12 },
      false,
      /has no lease/,
    ],
    [
      "of an unknown controller goes when its own lease is over",
      machine("c", "x"),
      { leases: over },
      true,
      /not in this ledger, and its own lease is over/,
    ],
    [
      "that does not answer stays in its time",
      machine("c", "x"),
      { now: 359_000 },
      false,
      /does not answer, and it was created 1970.* for 60 s/,
    ],
    [
      "that does not answer goes after its time",
      machine("c", "x"),
      { now: 361_000 },
      true,
      /does not answer, and it was created 1970/,
    ],
    [
      "that does not answer and has no lease stays",
      { ...machine("c", "x"), tags: { ...machine("c", "x").tags, ttl: "0" } },
      { now: 1e12 },
      false,
      /does not say/,
    ],
    [
      "of another owner stays, though it was named",
      machine("d", "dead", "you"),
      { named: ["d"] },
      false,
      /another owner/,
    ],
    ["that was taken up by a living controller stays", machine("b", "dead"), {}, false, /alive is alive/],
    ["that is kept stays", machine("k", "dead"), { ledger: KEPT, now: 999 }, false, /kept for the next run of pool p/],
    [
      "that was kept goes after its time",
      machine("k", "dead"),
      { ledger: KEPT, now: 1000 },
      true,
      /kept .* until 1970/,
    ],
    ["that is kept goes when it is named", machine("k", "dead"), { ledger: KEPT, named: ["k"] }, true, /named/],
    [
      "whose controller died while it handed it over goes",
      machine("k", "dead"),
      { ledger: [...KEPT, { controller: "dead", entries: [entry("k", { id: "i-k" })] }] },
      true,
      /dead has ended/,
    ],
    ["that was named goes", machine("c", "x"), { named: ["c"] }, true, /named/],
  ];
  it.each(cases)("a machine %s", (_, one, more, remove, reason) => {
    const [verdict] = sweepPlan(facts({ machines: [one], ...more }));
    expect(verdict).toMatchObject({ machine: one, remove });
    expect(verdict!.reason).toMatch(reason);
  });
});

describe("settledEntries", () => {
  it("forgets what was created and is not there, but waits for what may still appear", () => {
    const ledger = [{ controller: "dead", entries: [entry("a", { id: "i-a" }), entry("late")] }];
    const names = (now: number, machines: readonly Instance[] = []): string[] =>
      settledEntries(facts({ ledger, machines, now })).map(({ name }) => name);
    expect(names(1000)).toEqual(["a"]);
    expect(names(1000, [machine("a", "dead")])).toEqual([]);
    expect(names(60 * 60_000)).toEqual(["a", "late"]);
  });

  it("leaves a living controller's entries alone", () => {
    expect(settledEntries(facts({ now: 60 * 60_000 })).map(({ name }) => name)).toEqual(["a"]);
  });
});

describe("appearsWithinMs", () => {
  const ledger = [
    { controller: "dead", entries: [entry("a", { id: "i-a" }), entry("late", { at: 1000 })] },
    { controller: "alive", entries: [entry("coming", { at: 5000 })] },
  ];
  const ms = (now: number, machines: readonly Instance[] = []): number =>
    appearsWithinMs(facts({ ledger, machines, now }));

  it("is what is left of 10 s for a machine that was asked for and not seen", () => {
    expect(ms(3000)).toBe(8000);
    expect(ms(11_000)).toBe(0);
    expect(ms(3000, [machine("late", "dead")])).toBe(0);
  });

  it("is not longer where the clock was set back", () => {
    expect(ms(-86_400_000)).toBe(10_000);
  });
});
