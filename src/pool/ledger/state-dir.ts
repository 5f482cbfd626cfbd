import { homedir } from "node:os";
import { join } from "node:path";

/** What this user's pools remember on this computer. */
export function stateDir(env: Readonly<Record<string, string | undefined>> = process.env): string {
  const base = env["XDG_STATE_HOME"];
  return join(base?.startsWith("/") ? base : join(homedir(), ".local/state"), "skyward");
}
