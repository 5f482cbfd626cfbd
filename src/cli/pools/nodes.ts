import type { CommandContext } from "@stricli/core";
import { findPools, isCalled, type RunningPool, runningPools, SILENT } from "../../client/running.ts";
import { type KeptPool, readKept } from "../../pool/keep/kept-pools.ts";
import { stateDir } from "../../pool/ledger/state-dir.ts";
import { colorsFor, wantsColors } from "../../console/colors.ts";
import { panelRows } from "../../console/panel.ts";
import type { NodesFlags } from "./commands.ts";
import { telling } from "./fail.ts";

export async function nodesCommand(this: CommandContext, { json }: NodesFlags, name?: string): Promise<void> {
  await telling("nodes", async () => {
    const kept = (await readKept(stateDir(), Date.now())).filter(({ pool }) => name === undefined || name === pool);
    const pools = await running(name, kept.length > 0);
    const documents = [...pools.map(({ answer, ...pool }) => ({ ...pool, ...answer })), ...kept.map(documentOf)];
    if (json) return void this.process.stdout.write(`${JSON.stringify(documents, undefined, 2)}\n`);
    const texts = [...pools.map(textOf), ...kept.map(keptText)];
    if (texts.length === 0) texts.push("No pool is open on this computer.");
    this.process.stdout.write(`${texts.join("\n\n")}\n`);
  });
}

/** A pool that is kept need not be open too. */
async function running(name: string | undefined, isKept: boolean): Promise<readonly RunningPool[]> {
  if (name !== undefined && !isKept) return findPools(name);
  return (await runningPools()).filter((pool) => isCalled(pool, name));
}

function textOf({ id, pid, answer }: RunningPool): string {
  const colors = colorsFor(wantsColors(process.stdout, process.env));
  if (answer === undefined)
    return `${colors.cyan(id)}  ${colors.dim(`process ${pid}`)}\n${colors.yellow(`does not answer: the program ${SILENT}`)}`;
  const size = { columns: process.stdout.columns || 120, rows: Number.POSITIVE_INFINITY, colors };
  const head = `${colors.cyan(id)}  ${colors.dim(`process ${pid}, ${answer.program}`)}`;
  return [head, ...panelRows(answer.view, Date.now(), size)].join("\n");
}

/** Without the keys to the machines. */
function documentOf({ pool, keptAt, untilMs, machines }: KeptPool): object {
  return { name: pool, kept: { at: keptAt, untilMs, machines: machines.map((machine) => machine.name) } };
}

function keptText({ pool, untilMs, machines }: KeptPool): string {
  const colors = colorsFor(wantsColors(process.stdout, process.env));
  const head = `${colors.cyan(pool)}  ${colors.dim(`kept for the next run until ${new Date(untilMs).toISOString()}`)}`;
  return [head, ...machines.map(({ rank, name }) => `  node ${rank}  ${name}`)].join("\n");
}
