import { SkyError } from "../../errors/sky-error.ts";
import { parseDuration } from "../../function/duration.ts";
import type { ResolvedRetry, RetryFailure } from "../../function/retry-rule.ts";

/** What is known of one failed try. */
export interface Failure extends RetryFailure {
  /** For losses: a task that was lost through another one's doing is innocent, and its re-run counts towards no limit. */
  readonly innocent: boolean;
}

export interface RetryPolicy {
  /** Losses that a task survives. */
  readonly retryOnInterruption: number;
  readonly retry: ResolvedRetry | undefined;
  readonly rerun: "lost" | "never" | undefined;
}

/**
 * After how many ms a task runs again that failed so; undefined when it does not. `charged`: earlier tries that counted.
 * By default losses are tried again up to `retryOnInterruption` times, and a function's own errors never.
 * @throws what the user's decision throws, and SkyError SKY_BAD_OPTION, SKY_BAD_DURATION for what it can't mean
 */
export function runsAgain(failure: Failure, charged: number, policy: RetryPolicy): number | undefined {
  // What never left for a node can't have started there.
  if (failure.cause === "neverStarted") return 0;
  if (policy.rerun === "never") return undefined;
  if (failure.innocent) return 0;
  const { retry, retryOnInterruption } = policy;
  if (typeof retry === "function") return decided(retry(plain(failure), charged + 1));
  if (retry) return charged < retry.times ? retry.delayMs : undefined;
  return failure.kind === "lost" && charged < retryOnInterruption ? 0 : undefined;
}

function decided(answer: unknown): number | undefined {
  if (answer === true) return 0;
  if (answer === false || answer === undefined) return undefined;
  if (typeof answer === "string") return parseDuration(answer, "the answer of retry");
  const what = answer instanceof Promise ? "a promise" : (JSON.stringify(answer) ?? typeof answer);
  throw new SkyError(
    "SKY_BAD_OPTION",
    `retry must answer true, false or a delay such as "5s" at once; it gave ${what}`,
  );
}

function plain({ innocent: _, ...failure }: Failure): RetryFailure {
  return failure;
}
