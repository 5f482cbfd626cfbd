import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";

/** Where this user's programs keep what can be made again. A relative path there is to be ignored, as its specification has it. */
export function cacheHome(env: NodeJS.ProcessEnv): string {
  const home = env["XDG_CACHE_HOME"];
  return home !== undefined && isAbsolute(home) ? home : join(homedir(), ".cache");
}
