import type { KeptMachine } from "../../providers/provider.ts";
import type { KeptPool } from "./kept-pools.ts";

export interface Choice {
  /** What a run takes up. */
  readonly taken: readonly KeptMachine[];
  /** What goes on waiting. */
  readonly left: readonly KeptMachine[];
  /** Why machines that could have served don't, in words. */
  readonly reasons: readonly string[];
}

/**
 * Which machines of a kept pool serve a run: those that fit, each as the node that it was.
 * @param ranks nodes that have no machine yet
 */
export function chooseKept(
  { machines }: Pick<KeptPool, "machines">,
  ranks: ReadonlySet<number>,
  mismatch: (machine: KeptMachine) => string | undefined,
): Choice {
  const taken: KeptMachine[] = [];
  const left: KeptMachine[] = [];
  const reasons = new Map<string, number>();
  for (const machine of machines) {
    const reason = mismatch(machine);
    if (reason !== undefined) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    (reason === undefined && ranks.has(machine.rank) ? taken : left).push(machine);
  }
  return { taken, left, reasons: [...reasons].map(([reason, count]) => `${reason} (${count} of ${machines.length})`) };
}
