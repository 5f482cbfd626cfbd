import type { ErrorCode } from "../errors/codes.ts";
import { SkyError } from "../errors/sky-error.ts";

/** Thrown inside the encoder while the path to the culprit is put together; `encode` turns it into a SkyError. */
export class Refusal extends Error {
  readonly path: string[] = [];
  readonly label: string;
  readonly reason: string;
  readonly advice: string | undefined;
  readonly code: ErrorCode;

  constructor(
    label: string,
    reason: string,
    advice?: string,
    cause?: unknown,
    code: ErrorCode = "SKY_VALUE_UNSERIALIZABLE",
  ) {
    super(reason, { cause });
    this.code = code;
    this.label = label;
    this.reason = reason;
    this.advice = advice;
  }
}

/** What to throw on from a container after one of its parts failed with `error`. */
export function under(error: unknown, segment: string): unknown {
  // A hook's own error, or a full stack, is told as it is.
  if (error instanceof SkyError || isStackOverflow(error)) return error;
  const refusal = error instanceof Refusal ? error : threw(error);
  refusal.path.push(segment);
  return refusal;
}

export function threw(error: unknown): Refusal {
  return new Refusal(
    "",
    `reading it threw ${brief(error)}`,
    "See the cause: a getter, proxy or codec of the value failed.",
    error,
  );
}

/** A stack overflow reaches `encode` and `decode` before any limit where the caller's own stack is deep already. */
export function isStackOverflow(error: unknown): boolean {
  return error instanceof RangeError && error.message.includes("call stack");
}

export function toSkyError(error: unknown, root: string): SkyError {
  if (error instanceof SkyError) return error;
  if (isStackOverflow(error)) return new SkyError("SKY_VALUE_LIMIT", `${root} is nested too deeply for the stack.`);
  const refusal = error instanceof Refusal ? error : threw(error);
  const path = root + refusal.path.reverse().join("");
  const label = refusal.label === "" ? "" : ` (${refusal.label})`;
  return new SkyError(refusal.code, `${path}${label} can't travel: ${refusal.reason}.`, {
    ...(refusal.advice === undefined ? {} : { hint: refusal.advice }),
    ...(refusal.cause === undefined ? {} : { cause: refusal.cause }),
    details: { path, type: refusal.label },
  });
}

/** `.key`, or `["another key"]`. */
export function keySegment(key: string | symbol): string {
  if (typeof key === "symbol") return `[${String(key)}]`;
  if (/^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(key)) return `.${key}`;
  return `[${JSON.stringify(key.length > 60 ? `${key.slice(0, 60)}...` : key)}]`;
}

export function entrySegment(key: unknown): string {
  return `.get(${typeof key === "string" ? JSON.stringify(key.slice(0, 60)) : brief(key)})`;
}

function brief(value: unknown): string {
  try {
    if (value instanceof Error) return `${value.name}: ${value.message}`.slice(0, 200);
    return typeof value === "object" && value !== null ? "an object" : String(value).slice(0, 60);
  } catch {
    return "something unreadable";
  }
}
