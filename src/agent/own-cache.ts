import { homedir } from "node:os";
import { join } from "node:path";

/** Our folder among this account's caches, on whichever machine this runs; what is in it may be deleted between runs. */
export function ownCache(...below: readonly string[]): string {
  return join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "skyward", ...below);
}
