import type { CommandContext } from "@stricli/core";
import { controllerLives, pidOf } from "../../pool/ledger/controller.ts";
import { readLedger } from "../../pool/ledger/read-ledger.ts";
import { stateDir } from "../../pool/ledger/state-dir.ts";
import type { LedgerFlags } from "./command.ts";

export async function ledgerCommand(this: CommandContext, { json }: LedgerFlags): Promise<void> {
  const controllers = await readLedger(stateDir());
  const machines = controllers.flatMap(({ controller, entries }) => {
    const alive = controllerLives(controller);
    return entries.map(({ name, id, at, provider, pool, keptUntil }) => ({
      provider: provider.name,
      name,
      id: id ?? null,
      pool,
      askedAt: new Date(at).toISOString(),
      controller: keptUntil === undefined ? { pid: pidOf(controller), alive } : null,
      keptUntil: keptUntil === undefined ? null : new Date(keptUntil).toISOString(),
    }));
  });
  const lines = machines.map(
    ({ provider, name, pool, askedAt, id, controller, keptUntil }) =>
      `${provider} ${name} pool ${pool}, ${id === null ? "asked for" : "created"} ${askedAt}, ${whose(controller, keptUntil)}`,
  );
  const text = lines.length === 0 ? "No machine is on record." : lines.join("\n");
  this.process.stdout.write(`${json ? JSON.stringify(machines, undefined, 2) : text}\n`);
}

function whose(controller: { readonly pid: number; readonly alive: boolean } | null, keptUntil: string | null): string {
  if (controller === null) return `kept for the next run until ${keptUntil}`;
  return `by process ${controller.pid}${controller.alive ? "" : ", which has ended"}`;
}
