import type { CommandContext } from "@stricli/core";
import { stateDir } from "../../pool/ledger/state-dir.ts";
import { sweep, type SweepReport, type Swept } from "../../pool/ledger/sweep.ts";
import { remove } from "../../providers/created/remove.ts";
import { telling } from "../pools/fail.ts";
import type { SweepFlags } from "./command.ts";
import { restoring } from "./restore.ts";

export async function sweepCommand(
  this: CommandContext,
  { yes, json, name = [], container, provider }: SweepFlags,
): Promise<void> {
  await telling("sweep", async () => {
    const report = await sweep({
      dir: stateDir(),
      restore: await restoring(provider),
      also: container === undefined ? [] : [{ name: "container", options: { binary: container } }],
      perhaps: ["docker", "podman"].map((binary) => ({ name: "container", options: { binary } })),
      named: name,
      yes,
      remove,
    });
    this.process.stdout.write(json ? `${JSON.stringify(document(report), undefined, 2)}\n` : text(report, yes));
    const left =
      report.machines.some((one) => one.remove && !one.removed) || report.unasked.length + report.unfound.length > 0;
    if (left) process.exitCode = 1;
  });
}

function document({ machines, unasked, unfound }: SweepReport): object {
  return {
    machines: machines.map(({ machine, remove: wanted, reason, provider, removed, error }) => ({
      provider,
      name: machine.name,
      id: machine.id,
      pool: machine.tags.pool,
      state: machine.state,
      createdAt: new Date(machine.createdAt).toISOString(),
      verdict: wanted ? "remove" : "keep",
      reason,
      removed,
      ...(error === undefined ? {} : { error }),
    })),
    unasked,
    unfound,
  };
}

function text({ machines, unasked, unfound }: SweepReport, yes: boolean): string {
  const lines = machines.map((one) => `${doing(one, yes).padEnd(8)} ${one.provider} ${one.machine.name}: ${why(one)}`);
  lines.push(...unasked.map(({ provider, error }) => `unasked  ${provider}: ${error}`));
  lines.push(...unfound.map((name) => `unknown  ${name}: no provider that was asked has a machine of this name`));
  const left = machines.filter((one) => one.remove && !one.removed).length;
  if (lines.length === 0) lines.push("No machine is left.");
  else if (left > 0 && !yes) lines.push("", `Remove ${left === 1 ? "it" : `these ${left}`} with: sky sweep --yes`);
  return `${lines.join("\n")}\n`;
}

function doing({ remove: wanted, removed, error }: Swept, yes: boolean): string {
  if (!wanted) return "stays";
  if (error !== undefined) return "FAILED";
  return removed || yes ? "removed" : "left";
}

function why({ reason, error }: Swept): string {
  return error === undefined ? reason : `${reason}; ${error}`;
}
