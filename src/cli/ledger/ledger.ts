import type { CommandContext } from "@stricli/core";
import { controllerLives, pidOf } from "../../pool/ledger/controller.ts";
import { readLedger } from "../../pool/ledger/read-ledger.ts";
import { stateDir } from "../../pool/ledger/state-dir.ts";
import type { LedgerFlags } from "./command.ts";

export async function ledgerCommand(this: CommandContext, { json }: LedgerFlags): Promise<void> {
  const controllers = await readLedger(stateDir());
  const machines = controllers.flatMap(({ controller, entries }) => {
    const alive = controllerLives(controller);
    return entries.map(({ name, id, at, provider, pool }) => ({
      provider: provider.name,
      name,
      id: id ?? null,
      pool,
      askedAt: new Date(at).toISOString(),
      controller: { pid: pidOf(controller), alive },
    }));
  });
  const lines = machines.map(
    ({ provider, name, pool, askedAt, id, controller: { pid, alive } }) =>
      `${provider} ${name} pool ${pool}, ${id === null ? "asked for" : "created"} ${askedAt}, by process ${pid}${alive ? "" : ", which has ended"}`,
  );
  const text = lines.length === 0 ? "No machine is on record." : lines.join("\n");
  this.process.stdout.write(`${json ? JSON.stringify(machines, undefined, 2) : text}\n`);
}
