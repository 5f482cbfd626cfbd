import { SkyError } from "../../errors/sky-error.ts";

/** The error of a node that failed, with where its log is. */
export function withLog(error: unknown, log: string | undefined): unknown {
  if (!(error instanceof SkyError) || log === undefined) return error;
  const { code, message, cause, retryable, details } = error;
  const hint = `${error.hint}\nWhat the node said is in ${log} (\`sky logs\` shows it).`;
  return new SkyError(code, message, { cause, retryable, hint, details: { ...details, log } });
}

export function logOf(error: unknown): string | undefined {
  const log = error instanceof SkyError ? error.details["log"] : undefined;
  return typeof log === "string" ? log : undefined;
}
