import type { KeptMachine, Machine, Provider, ProvisionRequest } from "../../providers/provider.ts";
import { stateDir } from "../ledger/state-dir.ts";
import { messageOf } from "../message-of.ts";
import type { NodeNews } from "../node/node-news.ts";
import type { PoolSpec } from "../spec.ts";
import { chooseKept } from "./choose-kept.ts";
import { claimKept, readKept, writeKept } from "./kept-pools.ts";

/** Less time than this is not worth the way there. */
const TOO_LATE_MS = 2000;

/** A machine that a node goes on with. */
export interface TakenUp {
  readonly machine: KeptMachine;
  /** ms since the epoch. */
  readonly keptAt: number;
}

/** Takes up what an earlier run of a pool left. What can't be taken up is said and left to its own end. */
export async function takeUp(
  { name, provider, desired }: Pick<PoolSpec, "name" | "provider" | "desired">,
  emit: (event: NodeNews) => void,
): Promise<Map<number, TakenUp>> {
  const taken = new Map<number, TakenUp>();
  const { keeping } = provider;
  if (keeping === undefined) return taken;
  const ranks = new Set(Array.from({ length: desired }, (_, rank) => rank));
  const say = (message: string): void => emit({ type: "Error.Occurred", message, fatal: false });
  try {
    for (const kept of await readKept(stateDir(), Date.now())) {
      if (kept.pool !== name || kept.untilMs - Date.now() < TOO_LATE_MS) continue;
      const choice = chooseKept(kept, ranks, (machine) => keeping.mismatch(machine));
      for (const reason of choice.reasons) say(`machines that were kept for "${name}" are not taken up: ${reason}`);
      if (choice.taken.length === 0 || !(await claimKept(kept))) continue;
      const { keptAt, untilMs } = kept;
      if (choice.left.length > 0) await writeKept(stateDir(), { pool: name, keptAt, untilMs, machines: choice.left });
      for (const machine of choice.taken) {
        ranks.delete(machine.rank);
        taken.set(machine.rank, { machine, keptAt });
      }
    }
  } catch (error) {
    say(`machines that were kept for "${name}" are not taken up: ${messageOf(error)}`);
  }
  return taken;
}

/** The machine that was kept for a node, or another one. */
export function obtain(
  provider: Provider,
  kept: TakenUp | undefined,
  request: ProvisionRequest,
  signal: AbortSignal,
): Promise<Machine> {
  return kept ? provider.keeping!.adopt(kept.machine, request, signal) : provider.provision(request, signal);
}

/** Puts down how a later run finds the machines that were left for it. */
export async function leave(
  name: string,
  untilMs: number,
  machines: readonly KeptMachine[],
  emit: (event: NodeNews) => void,
): Promise<void> {
  if (machines.length === 0) return;
  try {
    await writeKept(stateDir(), { pool: name, keptAt: Date.now(), untilMs, machines });
    const nodes = machines.map(({ rank }) => rank).sort((a, b) => a - b);
    emit({ type: "Pool.Kept", nodes, untilMs });
  } catch (error) {
    const message = `machines are kept until they end by themselves, but no later run will find them: ${messageOf(error)}`;
    emit({ type: "Error.Occurred", message, fatal: false });
  }
}
