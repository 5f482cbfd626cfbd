import type { ResolvedOptions, RetryFailure } from "../../function/options.ts";

/** What is known of one failed try. */
export interface Failure extends RetryFailure {
  /** For losses: a task that was lost through another one's doing is innocent, and its re-run counts towards no limit. */
  readonly innocent?: boolean;
}

export interface RetryPolicy {
  /** Losses that a task survives. */
  readonly retryOnInterruption: number;
  readonly retry: ResolvedOptions["retry"];
  readonly rerun: ResolvedOptions["rerun"];
}

/**
 * Whether a task runs again after `failure`. `charged`: earlier tries that counted; `elapsedMs`: since its first one.
 * By default losses are tried again up to `retryOnInterruption` times, and a function's own errors never.
 */
export function runsAgain(failure: Failure, charged: number, elapsedMs: number, policy: RetryPolicy): boolean {
  if (policy.rerun === "never") return false;
  if (failure.kind === "lost" && failure.innocent) return true;
  const { retry } = policy;
  if (typeof retry === "function")
    return retry({ kind: failure.kind, name: failure.name, message: failure.message }, charged + 1);
  if (typeof retry === "number") return charged < retry;
  if (typeof retry === "object") return elapsedMs < retry.forMs;
  return failure.kind === "lost" && charged < policy.retryOnInterruption;
}
