import type { CommandContext } from "@stricli/core";
import { SkyError } from "../../errors/sky-error.ts";
import { SshConnection } from "../../ssh/connection.ts";
import { CACHE, scriptCommand } from "../../ssh/shell.ts";
import { telling } from "../pools/fail.ts";
import type { CleanFlags } from "./commands.ts";
import { wayTo } from "./way-to.ts";

const BUSY = 75;

/** An agent that runs, and a bootstrap, need what is in the cache. */
const SCRIPT = `
cache=${CACHE}
for one in /proc/[0-9]*; do
  if tr '\\0' ' ' < "$one/cmdline" 2>/dev/null | grep -qF "$cache/agent-"; then exit ${BUSY}; fi
done
[ -d "$cache" ] || exit 0
if [ -e "$cache/bootstrap/lock" ] && command -v flock >/dev/null 2>&1; then
  exec 9>>"$cache/bootstrap/lock"
  flock -n 9 || exit ${BUSY}
fi
set -- $(du -sk "$cache")
chmod -R u+w "$cache"
rm -rf "$cache" || exit 1
echo "$1"
`;

export async function cleanCommand(this: CommandContext, flags: CleanFlags, host: string): Promise<void> {
  await telling("ssh clean", async () => {
    const connection = await SshConnection.open(await wayTo(host, flags, true), AbortSignal.timeout(30_000));
    try {
      const { code, stdout, stderr } = await connection.run(scriptCommand(SCRIPT), SCRIPT);
      if (code === BUSY)
        throw new SkyError("SKY_BAD_CALL", `a pool runs on ${connection.name}`, { hint: "Close it, then clean." });
      if (code !== 0)
        throw new SkyError("SKY_FILES_FAILED", `${connection.name}: ${stderr.trim() || `exit code ${code}`}`);
      const kb = stdout.trim();
      this.process.stdout.write(
        kb === ""
          ? `Nothing of ours is on ${connection.name}.\n`
          : `Removed ~/.cache/skyward on ${connection.name}: ${Math.ceil(Number(kb) / 1024)} MB.\n`,
      );
    } finally {
      connection.close();
    }
  });
}
