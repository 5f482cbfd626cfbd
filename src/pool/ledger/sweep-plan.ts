import type { Instance } from "../../providers/cloud-provider.ts";
import type { ControllerEntries } from "./read-ledger.ts";

/** A create call that was never answered may still make its machine for so long. */
const APPEARS_WITHIN_MS = 15 * 60_000;
/** Nearly always it does so within this time. */
const APPEARS_SOON_MS = 10_000;

export interface SweepFacts {
  readonly owner: string;
  /** What a provider has under this owner. */
  readonly machines: readonly Instance[];
  readonly ledger: readonly ControllerEntries[];
  readonly lives: (controller: string) => boolean;
  /** Removed although nothing proves that nobody needs them. */
  readonly named: readonly string[];
  readonly now: number;
}

export interface Verdict {
  readonly machine: Instance;
  readonly remove: boolean;
  /** In words, for a person. */
  readonly reason: string;
}

/** What a sweep does with the machines of one provider. */
export function sweepPlan({ owner, machines, ledger, lives, named, now }: SweepFacts): Verdict[] {
  const known = new Set(ledger.map(({ controller }) => controller));
  return machines.map((machine) => {
    const holder = holderOf(machine.name, ledger);
    // Who took up a kept machine is not who made it.
    const controller = holder?.controller ?? machine.tags.controller;
    if (machine.tags.owner !== owner) return { machine, remove: false, reason: "it belongs to another owner" };
    if (named.includes(machine.name)) return { machine, remove: true, reason: "it was named" };
    const until = holder?.keptUntil;
    if (until !== undefined) {
      const time = new Date(until).toISOString();
      const reason = `it was kept for the next run of pool ${machine.tags.pool} until ${time}`;
      return { machine, remove: until <= now, reason };
    }
    if (!known.has(controller)) {
      return { machine, remove: false, reason: `its controller ${controller} is not in this ledger` };
    }
    if (lives(controller)) return { machine, remove: false, reason: `its controller ${controller} is alive` };
    return { machine, remove: true, reason: `its controller ${controller} has ended` };
  });
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
