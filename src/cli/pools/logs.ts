import type { CommandContext } from "@stricli/core";
import { getLines } from "../../client/request.ts";
import { findPool } from "../../client/running.ts";
import { colorsFor, wantsColors } from "../../console/colors.ts";
import { clockTime } from "../../console/format.ts";
import { sanitize } from "../../console/sanitize.ts";
import type { LoggedLine } from "../../pool/endpoint/node-logs.ts";
import type { LogsFlags } from "./commands.ts";
import { telling } from "./fail.ts";

export async function logsCommand(this: CommandContext, flags: LogsFlags, name?: string): Promise<void> {
  await telling("logs", async () => {
    const { socket } = await findPool(name);
    const query = new URLSearchParams();
    if (flags.node !== undefined) query.set("node", String(flags.node));
    if (flags.follow) query.set("follow", "1");
    const colors = colorsFor(wantsColors(process.stdout, process.env));
    try {
      for await (const logged of getLines<LoggedLine>(socket, "GET", `/logs?${query.toString()}`)) {
        if (flags.json) this.process.stdout.write(`${JSON.stringify(logged)}\n`);
        else {
          const from = logged.node === undefined ? "pool" : `node ${logged.node}`;
          const text = sanitize(logged.line, { colors: colors.enabled });
          const painted = logged.stream === "event" ? colors.red(text) : text;
          this.process.stdout.write(
            `${colors.dim(clockTime(logged.at))}  ${colors.cyan(from.padEnd(7))}  ${painted}\n`,
          );
        }
      }
    } catch (error) {
      // The pool was closed while its lines were followed: that is their end.
      if (!flags.follow || (error as NodeJS.ErrnoException).code !== "ECONNRESET") throw error;
    }
  });
}
