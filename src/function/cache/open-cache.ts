import { chmodSync, mkdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { cacheHome } from "./cache-home.ts";
import { DiskCache, isOurs } from "./disk-cache.ts";

const DEFAULT_MB = 1024;

let opened: DiskCache | false | undefined;

/** The cache of this user; undefined where there is none, or where somebody else could have written to it. */
export function openCache(): DiskCache | undefined {
  opened ??= open(process.env) ?? false;
  return opened === false ? undefined : opened;
}

function open(env: NodeJS.ProcessEnv): DiskCache | undefined {
  const megabytes = sizeOf(env["SKYWARD_CACHE_MB"]);
  if (megabytes === 0) return undefined;
  const folder = join(cacheHome(env), "skyward", "artifacts");
  return isPrivate(folder) ? new DiskCache(folder, megabytes * 1024 * 1024) : undefined;
}

function sizeOf(text: string | undefined): number {
  const size = text === undefined || text === "" ? DEFAULT_MB : Number(text);
  return Number.isFinite(size) && size >= 0 ? size : DEFAULT_MB;
}

/** Makes the folder, and says whether it is ours alone. */
function isPrivate(folder: string): boolean {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const stats = statSync(folder);
    if (!isOurs(stats) || !isOurs(statSync(dirname(folder)))) return false;
    if ((stats.mode & 0o077) !== 0) chmodSync(folder, 0o700);
    return true;
  } catch {
    return false;
  }
}
