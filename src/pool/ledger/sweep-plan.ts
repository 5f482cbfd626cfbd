import type { Instance } from "../../providers/cloud-provider.ts";
import type { ControllerEntries } from "./read-ledger.ts";

/** A create call that was never answered may still make its machine for so long. */
const APPEARS_WITHIN_MS = 15 * 60_000;

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
export function sweepPlan({ owner, machines, ledger, lives, named }: SweepFacts): Verdict[] {
  const known = new Set(ledger.map(({ controller }) => controller));
  return machines.map((machine) => {
    const { controller } = machine.tags;
    if (machine.tags.owner !== owner) return { machine, remove: false, reason: "it belongs to another owner" };
    if (named.includes(machine.name)) return { machine, remove: true, reason: "it was named" };
    if (!known.has(controller)) {
      return { machine, remove: false, reason: `its controller ${controller} is not in this ledger` };
    }
    if (lives(controller)) return { machine, remove: false, reason: `its controller ${controller} is alive` };
    return { machine, remove: true, reason: `its controller ${controller} has ended` };
  });
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
