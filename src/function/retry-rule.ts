import type { LossCause } from "../errors/loss-cause.ts";
import { SkyError } from "../errors/sky-error.ts";
import { parseDuration } from "./duration.ts";

/** What a failed try looked like, for a `retry` decision: plain data. */
export interface RetryFailure {
  /** `error`: the function threw; `lost`: its process or node is gone; `timeout`: its run limit has passed. */
  readonly kind: "error" | "lost" | "timeout";
  /** The error's name; "Lost" for a loss. */
  readonly name: string;
  readonly message: string;
  /** Of an error that has one, such as "ECONNRESET". */
  readonly code: string | undefined;
  /** How a task was lost; undefined for the other kinds. */
  readonly cause: LossCause | undefined;
  /** The error's own properties besides these, such as `{ status: 503 }`. */
  readonly details: Readonly<Record<string, unknown>>;
  /** Rank of the node that ran it. */
  readonly node: number;
  /** As in `task.attempts`: 1 for the first. */
  readonly attempt: number;
}

/**
 * A decision over a failed try, made in the controller: false, true, or how long to wait before the next one.
 * `tries`: how many tries have counted so far, this one included; those that others brought down do not.
 */
export type RetryDecision = (failure: RetryFailure, tries: number) => boolean | string;

/** How many tries more; a delay before each of three more, such as "5s"; or a decision. */
export type RetryRule = number | string | RetryDecision;

/** A rule, checked: so many tries more, each after a delay, or a decision. */
export type ResolvedRetry = { readonly times: number; readonly delayMs: number } | RetryDecision;

/** Tries that a delay alone gives beyond the first: as many as a loss gets by default. */
const TIMES_OF_A_DELAY = 3;
/** Attempts are one byte on the wire, and those that others brought down need some too. */
const TIMES_MAX = 200;
const AsyncFunction = (async () => {}).constructor;

/** @throws SkyError SKY_BAD_OPTION, SKY_BAD_DURATION */
export function resolveRetry(value: unknown): ResolvedRetry {
  if (typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= TIMES_MAX)
    return Object.freeze({ times: value, delayMs: 0 });
  if (typeof value === "string")
    return Object.freeze({ times: TIMES_OF_A_DELAY, delayMs: parseDuration(value, "retry") });
  if (value instanceof AsyncFunction)
    throw new SkyError("SKY_BAD_OPTION", "retry must decide at once; got an async function", {
      hint: 'Return true, false or a delay such as "5s" from a plain function.',
    });
  if (typeof value === "function") return value as RetryDecision;
  throw new SkyError(
    "SKY_BAD_OPTION",
    `retry must be a whole number up to ${TIMES_MAX}, a delay such as "5s", or a function; got ${JSON.stringify(value) ?? String(value)}.`,
  );
}
