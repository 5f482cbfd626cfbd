import type { Pool, SkyEvent } from "skyward";

const LIMIT_MS = 15_000;

/** One point of a program: says `ok` when `check` holds, and lets the program go on and fail at its end when not. */
export async function point(what: string, check: () => unknown, limitMs = LIMIT_MS): Promise<void> {
  let limit: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    limit = setTimeout(() => reject(new Error(`not done after ${limitMs} ms`)), limitMs);
  });
  try {
    await Promise.race([late, (async () => check())()]);
    console.log(`ok ${what}`);
  } catch (error) {
    process.exitCode = 1;
    console.log(`not ok ${what}`, error);
  } finally {
    clearTimeout(limit);
  }
}

/** The first event of a type that fits. Ask before you cause it. */
export async function event<T extends SkyEvent["type"]>(
  pool: Pool,
  type: T,
  fits: (event: Extract<SkyEvent, { type: T }>) => boolean = () => true,
): Promise<Extract<SkyEvent, { type: T }>> {
  for await (const one of pool.events) {
    if (one.type === type && fits(one as Extract<SkyEvent, { type: T }>)) return one as Extract<SkyEvent, { type: T }>;
  }
  throw new Error(`the pool was closed before ${type}`);
}

/** What a call fails with; fails itself when the call does not. */
export async function failure(
  call: PromiseLike<unknown> | (() => unknown),
): Promise<Error & { code?: string; hint?: string }> {
  let value: unknown;
  try {
    value = await (typeof call === "function" ? call() : call);
  } catch (error) {
    if (error instanceof Error) return error;
    throw new Error(`not an error: ${String(error)}`, { cause: error });
  }
  throw new Error(`should have failed; gave ${String(value)}`);
}

/** In place of `assert.ok`, which reads the source for its message: over tsx's one-line output that takes Node 20 minutes. */
export function holds(value: unknown, what = "it does not hold"): asserts value {
  if (!value) throw new Error(what);
}
