import type { CommandContext } from "@stricli/core";
import { getLines } from "../../client/request.ts";
import { findPool, isCalled, runningPools } from "../../client/running.ts";
import { type Colors, colorsFor, wantsColors } from "../../console/colors.ts";
import { clockTime } from "../../console/format.ts";
import { sanitize } from "../../console/sanitize.ts";
import { type FailedLog, failedLines, failedLogs } from "../../pool/endpoint/failed-logs.ts";
import type { LoggedLine } from "../../pool/endpoint/node-logs.ts";
import { stateDir } from "../../pool/ledger/state-dir.ts";
import type { LogsFlags } from "./commands.ts";
import { telling } from "./fail.ts";

export async function logsCommand(
  this: CommandContext,
  flags: LogsFlags,
  name?: string,
  rank: number | undefined = flags.node,
): Promise<void> {
  await telling("logs", async () => {
    const colors = colorsFor(wantsColors(process.stdout, process.env));
    const show = (text: string): void => void this.process.stdout.write(text);
    const failed = failedLogs(stateDir()).filter(
      ({ pool, pid, node }) => isCalled({ name: pool, pid }, name) && (rank === undefined || rank === node),
    );
    if (flags.failed) return show(flags.json ? `${JSON.stringify(failed, undefined, 2)}\n` : listOf(failed, colors));
    const line = (logged: LoggedLine): void =>
      show(flags.json ? `${JSON.stringify(logged)}\n` : textOf(logged, colors));
    const [last] = failed;
    if (last !== undefined && !flags.follow && !(await runningPools()).some((pool) => isCalled(pool, name))) {
      const run = failed.filter(({ pool, pid }) => pool === last.pool && pid === last.pid);
      this.process.stderr.write(`the pool ${last.pool} of process ${last.pid} is gone; nodes of it that failed:\n`);
      // A node that failed twice has all that is kept of it in the later log.
      const newest = run.filter((log, index) => run.findIndex(({ node }) => node === log.node) === index);
      const lines = newest.flatMap((log) => failedLines(log));
      for (const logged of lines.sort((a, b) => a.at - b.at)) line(logged);
      return;
    }
    const { socket } = await findPool(name);
    const query = new URLSearchParams();
    if (rank !== undefined) query.set("node", String(rank));
    if (flags.follow) query.set("follow", "1");
    try {
      for await (const logged of getLines<LoggedLine>(socket, "GET", `/logs?${query.toString()}`)) line(logged);
    } catch (error) {
      // The pool was closed while its lines were followed: that is their end.
      if (!flags.follow || (error as NodeJS.ErrnoException).code !== "ECONNRESET") throw error;
    }
  });
}

function textOf({ at, node, stream, line }: LoggedLine, colors: Colors): string {
  const from = node === undefined ? "pool" : `node ${node}`;
  const text = sanitize(line, { colors: colors.enabled });
  const painted = stream === "event" ? colors.red(text) : text;
  return `${colors.dim(clockTime(at))}  ${colors.cyan(from.padEnd(7))}  ${painted}\n`;
}

function listOf(failed: readonly FailedLog[], colors: Colors): string {
  if (failed.length === 0) return "no log of a failed node is kept here\n";
  return failed
    .map(({ pool, pid, node, failedAt, reason, file }) => {
      const at = new Date(failedAt).toISOString().slice(0, 19).replace("T", " ");
      const why = sanitize(reason.split("\n")[0]!, { colors: false });
      return `${colors.dim(at)}  ${colors.cyan(`${pool}-${pid} node ${node}`)}  ${colors.red(why)}\n  ${file}\n`;
    })
    .join("");
}
