import type { Instance } from "../../providers/cloud-provider.ts";
import type { ControllerEntries } from "./read-ledger.ts";

/** A create call that was never answered may still make its machine for so long. */
const APPEARS_WITHIN_MS = 15 * 60_000;
/** Nearly always it does so within this time. */
const APPEARS_SOON_MS = 10_000;
/** A machine that does not answer was given its time at its first boot, which comes after its creation. */
const BOOTS_WITHIN_MS = 5 * 60_000;

export interface SweepFacts {
  readonly owner: string;
  /** What a provider has under this owner. */
  readonly machines: readonly Instance[];
  readonly ledger: readonly ControllerEntries[];
  readonly lives: (controller: string) => boolean;
  /** Removed although nothing proves that nobody needs them. */
  readonly named: readonly string[];
  readonly now: number;
  /**
   * By machines' names, how long they live on by their own leases, in s; undefined where one did not answer. Only of
   * those for which `wantsLease` holds.
   */
  readonly leases?: ReadonlyMap<string, number | undefined>;
}

export interface Verdict {
  readonly machine: Instance;
  readonly remove: boolean;
  /** In words, for a person. */
  readonly reason: string;
}

/** What a sweep does with the machines of one provider. */
export function sweepPlan(facts: SweepFacts): Verdict[] {
  return facts.machines.map((machine) => {
    const verdict = verdictOf(machine, facts) ?? leaseVerdict(machine, facts);
    return { machine, ...verdict };
  });
}

/** Machines of which only their own leases can tell whether anybody needs them. */
export function wantsLease(facts: SweepFacts): readonly Instance[] {
  return facts.machines.filter((machine) => verdictOf(machine, facts) === undefined);
}

/** What is known here; undefined where nothing is. */
function verdictOf(machine: Instance, facts: SweepFacts): Omit<Verdict, "machine"> | undefined {
  const { owner, ledger, lives, named, now } = facts;
  const holder = holderOf(machine.name, ledger);
  // Who took up a kept machine is not who made it.
  const controller = holder?.controller ?? machine.tags.controller;
  if (machine.tags.owner !== owner) return { remove: false, reason: "it belongs to another owner" };
  if (named.includes(machine.name)) return { remove: true, reason: "it was named" };
  const until = holder?.keptUntil;
  if (until !== undefined) {
    const time = new Date(until).toISOString();
    const reason = `it was kept for the next run of pool ${machine.tags.pool} until ${time}`;
    return { remove: until <= now, reason };
  }
  if (lives(controller)) return { remove: false, reason: `its controller ${controller} is alive` };
  if (!ledger.some((one) => one.controller === controller)) return undefined;
  return { remove: true, reason: `its controller ${controller} has ended` };
}

function leaseVerdict({ name, tags, createdAt }: Instance, facts: SweepFacts): Omit<Verdict, "machine"> {
  const unknown = `its controller ${tags.controller} is not in this ledger`;
  const left = facts.leases?.get(name);
  if (left === Infinity) return { remove: false, reason: `${unknown}, and it has no lease` };
  if (left !== undefined && left > 0)
    return { remove: false, reason: `${unknown}, and its own lease has ${Math.ceil(left)} s left` };
  if (left !== undefined) return { remove: true, reason: `${unknown}, and its own lease is over` };
  const ttlMs = Number(tags.ttl) * 1000;
  if (!(ttlMs > 0)) return { remove: false, reason: `${unknown}, and it does not say whether it has a lease` };
  const over = createdAt + ttlMs + BOOTS_WITHIN_MS < facts.now;
  const since = `it was created ${new Date(createdAt).toISOString()} for ${tags.ttl} s`;
  return { remove: over, reason: `${unknown}, it does not answer, and ${since}` };
}

/** Under whose name a machine is on record: while it changes hands, the living one's. */
export function holderOf(
  name: string,
  ledger: readonly ControllerEntries[],
): { readonly controller: string; readonly keptUntil?: number | undefined } | undefined {
  const holders = ledger.flatMap(({ controller, entries }) =>
    entries.filter((entry) => entry.name === name).map(({ keptUntil }) => ({ controller, keptUntil })),
  );
  return holders.find(({ keptUntil }) => keptUntil === undefined) ?? holders[0];
}

/** Entries of ended controllers whose machine is not there, and will not come any more. */
export function settledEntries({ machines, ledger, lives, now }: SweepFacts): { controller: string; name: string }[] {
  const there = new Set(machines.map(({ name }) => name));
  return ledger.flatMap(({ controller, entries }) =>
    lives(controller)
      ? []
      : entries
          .filter(({ name, id, at }) => !there.has(name) && (id !== undefined || now - at > APPEARS_WITHIN_MS))
          .map(({ name }) => ({ controller, name })),
  );
}

/**
 * How long, in ms from now, a machine may well appear that a controller asked for just before it died: its call goes on
 * without it.
 */
export function appearsWithinMs({ machines, ledger, lives, now }: Omit<SweepFacts, "owner" | "named">): number {
  const there = new Set(machines.map(({ name }) => name));
  const awaited = ledger.flatMap(({ controller, entries }) =>
    lives(controller) ? [] : entries.filter(({ name, id }) => id === undefined && !there.has(name)),
  );
  // A clock may have been set since.
  return Math.max(0, ...awaited.map(({ at }) => Math.min(at, now) + APPEARS_SOON_MS - now));
}
