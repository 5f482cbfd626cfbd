import type { CommandContext } from "@stricli/core";
import { findPool, type RunningPool, runningPools } from "../../client/running.ts";
import { colorsFor, wantsColors } from "../../console/colors.ts";
import { panelRows } from "../../console/panel.ts";
import type { NodesFlags } from "./commands.ts";
import { telling } from "./fail.ts";

export async function nodesCommand(this: CommandContext, { json }: NodesFlags, name?: string): Promise<void> {
  await telling("nodes", async () => {
    const pools = name === undefined ? await runningPools() : [await findPool(name)];
    if (json) return void this.process.stdout.write(`${JSON.stringify(pools, undefined, 2)}\n`);
    if (pools.length === 0) return void this.process.stdout.write("No pool is open on this computer.\n");
    this.process.stdout.write(`${pools.map(textOf).join("\n\n")}\n`);
  });
}

function textOf({ name, pid, program, view }: RunningPool): string {
  const colors = colorsFor(wantsColors(process.stdout, process.env));
  const size = { columns: process.stdout.columns || 120, rows: Number.POSITIVE_INFINITY, colors };
  const head = `${colors.cyan(name)}  ${colors.dim(`process ${pid}, ${program}`)}`;
  return [head, ...panelRows(view, Date.now(), size)].join("\n");
}
