import { isAbsolute } from "node:path";
import { didYouMean } from "../errors/nearest.ts";
import { SkyError } from "../errors/sky-error.ts";
import { parseDuration } from "./duration.ts";

/** Where results are kept, for how long, and how many. */
export interface CacheOptions {
  /** An absolute path. @default `skyward/results` in XDG_CACHE_HOME, or in ~/.cache */
  readonly dir?: string | undefined;
  /** Older results are not used. @default they never get too old */
  readonly ttl?: string | undefined;
  /** Room of the whole folder; what was used least recently goes first. @default 1 */
  readonly maxGb?: number | undefined;
}

/** Whether results are kept and used again. */
export type CacheRule = boolean | CacheOptions;

/** The same, checked. */
export interface ResolvedCache {
  readonly dir: string | undefined;
  readonly ttlMs: number;
  readonly maxBytes: number;
}

const NAMES = ["dir", "ttl", "maxGb"];
const GB = 1024 ** 3;
const DEFAULT: ResolvedCache = Object.freeze({ dir: undefined, ttlMs: Number.POSITIVE_INFINITY, maxBytes: GB });

/** Undefined for false. @throws SkyError SKY_BAD_OPTION, SKY_BAD_DURATION */
export function resolveCache(value: unknown): ResolvedCache | undefined {
  if (value === false) return undefined;
  if (value === true) return DEFAULT;
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw bad("cache", "true, false or { dir, ttl, maxGb }", value);
  for (const name of Object.keys(value)) {
    if (!NAMES.includes(name))
      throw new SkyError(
        "SKY_BAD_OPTION",
        `cache has no option "${name}"${didYouMean(name, NAMES) || `; there are ${NAMES.join(", ")}.`}`,
      );
  }
  const { dir, ttl, maxGb = 1 } = value as Record<keyof CacheOptions, unknown>;
  if (dir !== undefined && (typeof dir !== "string" || !isAbsolute(dir)))
    throw bad("cache.dir", "an absolute path", dir);
  if (typeof maxGb !== "number" || !(maxGb > 0) || maxGb > 1024 * 1024)
    throw bad("cache.maxGb", "a number of gigabytes", maxGb);
  const ttlMs = ttl === undefined ? Number.POSITIVE_INFINITY : parseDuration(ttl, "cache.ttl");
  return Object.freeze({ dir, ttlMs, maxBytes: Math.floor(maxGb * GB) });
}

function bad(name: string, wanted: string, value: unknown): SkyError {
  const got = typeof value === "function" ? "a function" : (JSON.stringify(value) ?? String(value));
  return new SkyError("SKY_BAD_OPTION", `${name} must be ${wanted}; got ${got}.`);
}
