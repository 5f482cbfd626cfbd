import type { LossCause } from "../../errors/loss-cause.ts";
import { SkyError } from "../../errors/sky-error.ts";
import type { Failure } from "../core/retry.ts";

/** Where a try failed. */
type Place = Pick<Failure, "node" | "attempt">;

const NO_DETAILS = Object.freeze({});

/** What a try whose function threw, or was stopped at its limit, looks like to a retry rule. */
export function failureOf(error: unknown, { node, attempt }: Place): Failure {
  const place = { cause: undefined, innocent: false, node, attempt };
  if (!(error instanceof Error)) {
    const name = typeof error;
    return { kind: "error", name, message: textOf(error), code: undefined, details: NO_DETAILS, ...place };
  }
  const { name, message } = error;
  if (error instanceof SkyError) {
    const kind = error.code === "SKY_TASK_TIMEOUT" ? "timeout" : "error";
    return { kind, name, message, code: error.code, details: error.details, ...place };
  }
  const { name: _, message: _m, stack: _s, cause: _c, code, ...details } = error as Error & { readonly code?: unknown };
  return { kind: "error", name, message, code: typeof code === "string" ? code : undefined, details, ...place };
}

/** What a lost try looks like to a retry rule. */
export function lossOf(cause: LossCause, message: string, innocent: boolean, { node, attempt }: Place): Failure {
  return { kind: "lost", name: "Lost", message, code: undefined, cause, details: NO_DETAILS, innocent, node, attempt };
}

function textOf(value: unknown): string {
  try {
    return String(value);
  } catch {
    return typeof value;
  }
}
