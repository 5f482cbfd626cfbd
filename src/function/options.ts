import { didYouMean } from "../errors/nearest.ts";
import { SkyError } from "../errors/sky-error.ts";
import { type CacheRule, resolveCache, type ResolvedCache } from "./cache-rule.ts";
import { parseDuration } from "./duration.ts";
import { type ResolvedRetry, resolveRetry, type RetryRule } from "./retry-rule.ts";

/** Where a task runs, as an output predicate sees it. */
export interface OutputPlace {
  /** The node's rank. */
  readonly node: number;
  /** The slot on that node. */
  readonly worker: number;
  /** Whether this is node 0 and worker 0. */
  readonly isHead: boolean;
  readonly totalNodes: number;
}

/** Whose lines are shown: the head's only, or those of the places for which a predicate says so. */
export type OutputRule = "head" | ((place: OutputPlace) => boolean);

export interface FnOptions {
  /** How long one run may take, such as "10m". @default the pool's `defaultComputeTimeout` ("300s") */
  readonly timeout?: string | undefined;
  /** How long a task may wait for a slot. @default no limit */
  readonly queueTimeout?: string | undefined;
  /**
   * For the function's own errors, its time limit, and losses: how many tries more; a delay such as "5s" before each of
   * up to three more; or `(failure, tries) => boolean | delay`, decided in this process.
   * @default losses up to `retryOnInterruption`, errors never
   */
  readonly retry?: RetryRule | undefined;
  /** "never": at most once; a task that was started and lost fails with SKY_TASK_LOST. @default "lost" */
  readonly rerun?: "lost" | "never" | undefined;
  /**
   * Results are kept on this machine's disk, by the function's code, what it captures, and the arguments; a call that was
   * answered before is served from there and runs nowhere. Errors are never kept. Calls aimed at a node (`broadcast`,
   * `target`) always run. @default false
   */
  readonly cache?: CacheRule | undefined;
  /** Whose standard output is shown. @default every node's */
  readonly stdout?: OutputRule | undefined;
  /** Whose standard error is shown. @default every node's */
  readonly stderr?: OutputRule | undefined;
  /** Show no output of this function. @default false */
  readonly silent?: boolean | undefined;
  /**
   * Each task waits for a debugger, in a process of its own, at an address on this machine that the log and the event
   * `Task.Inspectable` name; then it stops at its first line. No run limit holds for it. @default false
   */
  readonly inspect?: boolean | undefined;
  /** The name in logs and errors. @default the function's own, else its variable's, else `file:line` */
  readonly name?: string | undefined;
  /** Files that no literal import names, as globs relative to the source file. */
  readonly include?: readonly string[] | undefined;
}

/** The same, checked, with durations in milliseconds. */
export interface ResolvedOptions {
  readonly timeoutMs?: number;
  readonly queueTimeoutMs?: number;
  readonly retry?: ResolvedRetry;
  readonly rerun?: "lost" | "never";
  readonly cache?: ResolvedCache | undefined;
  readonly stdout?: OutputRule;
  readonly stderr?: OutputRule;
  readonly silent?: boolean;
  readonly inspect?: boolean;
  readonly name?: string;
  readonly include?: readonly string[];
}

const NAMES = [
  "timeout",
  "queueTimeout",
  "retry",
  "rerun",
  "cache",
  "stdout",
  "stderr",
  "silent",
  "inspect",
  "name",
  "include",
] as const;

export const NO_OPTIONS: ResolvedOptions = Object.freeze({});

/**
 * Checks what a user gave to `sky.fn` or `.with`, on top of what was set before.
 * @throws SkyError SKY_BAD_OPTION, SKY_BAD_DURATION
 */
export function resolveOptions(given: FnOptions | undefined, base: ResolvedOptions = NO_OPTIONS): ResolvedOptions {
  if (given === undefined) return base;
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw new SkyError(
      "SKY_BAD_OPTION",
      `Options must be an object such as { timeout: "10m" }; got ${given === null ? "null" : typeof given}.`,
    );
  }
  const result: { -readonly [K in keyof ResolvedOptions]: ResolvedOptions[K] } = { ...base };
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue;
    switch (name as (typeof NAMES)[number]) {
      case "timeout":
        result.timeoutMs = positive(parseDuration(value, name), name, value);
        break;
      case "queueTimeout":
        result.queueTimeoutMs = parseDuration(value, name);
        break;
      case "retry":
        result.retry = resolveRetry(value);
        break;
      case "rerun":
        result.rerun = oneOf(name, value, ["lost", "never"]);
        break;
      case "cache":
        result.cache = resolveCache(value);
        break;
      case "stdout":
      case "stderr":
        result[name as "stdout" | "stderr"] = outputRule(name, value);
        break;
      case "silent":
        if (typeof value !== "boolean") throw bad(name, "true or false", value);
        result.silent = value;
        break;
      case "inspect":
        if (typeof value !== "boolean") throw bad(name, "true or false", value);
        result.inspect = value;
        break;
      case "name":
        if (typeof value !== "string" || value === "") throw bad(name, "a text", value);
        result.name = value;
        break;
      case "include":
        if (!Array.isArray(value) || value.some((item) => typeof item !== "string"))
          throw bad(name, "a list of texts", value);
        result.include = Object.freeze([...(value as string[])]);
        break;
      default:
        throw new SkyError(
          "SKY_BAD_OPTION",
          `A function has no option "${name}"${didYouMean(name, NAMES) || `; there are ${NAMES.join(", ")}.`}`,
        );
    }
  }
  return Object.freeze(result);
}

function positive(ms: number, name: string, value: unknown): number {
  if (ms === 0)
    throw new SkyError("SKY_BAD_DURATION", `${name} is ${JSON.stringify(value)}: a run needs more than no time.`);
  return ms;
}

function outputRule(name: string, value: unknown): OutputRule {
  if (typeof value === "function") return value as OutputRule;
  return oneOf(name, value, ["head"], ", or a predicate");
}

function oneOf<const T extends string>(name: string, value: unknown, allowed: readonly T[], more = ""): T {
  if (allowed.includes(value as T)) return value as T;
  throw bad(name, allowed.map((item) => `"${item}"`).join(" or ") + more, value);
}

function bad(name: string, wanted: string, value: unknown): SkyError {
  const got = typeof value === "function" ? "a function" : (JSON.stringify(value) ?? String(value));
  return new SkyError("SKY_BAD_OPTION", `${name} must be ${wanted}; got ${got}.`);
}
