import { SkyError } from "../errors/sky-error.ts";

/**
 * What a refused function fails with when nodes are up already: the same error, which also says so, and how it would have been
 * found before.
 */
export function lateRefusal(error: unknown, pool: string, running: number): unknown {
  if (running === 0 || !(error instanceof SkyError) || !/^SKY_(?:CAPTURE|VALUE)_/.test(error.code)) return error;
  const nodes = running === 1 ? "1 node" : `${running} nodes`;
  const late = new SkyError(error.code, error.message, {
    hint: `${error.hint} Meanwhile ${nodes} of the pool "${pool}" run, and may cost money, until it closes: list the function in functions: [...] to have it checked before any is there.`,
    retryable: error.retryable,
    details: { ...error.details, pool, running },
    cause: error.cause,
  });
  return Object.defineProperty(late, "stack", { value: error.stack, configurable: true, writable: true });
}
