import { type ErrorCode, hintOf } from "./codes.ts";

const BRAND = Symbol.for("skyward.error");

/** Where and on what an error happened. Every field is plain data, so that it can be logged and sent. */
export interface ErrorDetails {
  readonly node?: number;
  readonly task?: string;
  readonly attempt?: number;
  readonly stage?: string;
  readonly [key: string]: unknown;
}

export interface SkyErrorInit {
  /** What to do next; the code's own hint when left out. */
  readonly hint?: string;
  /** Whether the same call may succeed when it is made again. @default false */
  readonly retryable?: boolean;
  readonly details?: ErrorDetails;
  readonly cause?: unknown;
}

/**
 * The one error family. `code` is stable and has a page in `docs/errors/`; `hint` says what to do next.
 * `instanceof` works across copies of the package.
 */
export class SkyError extends Error {
  readonly code: ErrorCode;
  readonly hint: string;
  readonly retryable: boolean;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, init: SkyErrorInit = {}) {
    super(message, init.cause === undefined ? undefined : { cause: init.cause });
    this.name = "SkyError";
    this.code = code;
    this.hint = init.hint ?? hintOf(code);
    this.retryable = init.retryable ?? false;
    this.details = init.details ?? {};
    Object.defineProperty(this, BRAND, { value: true });
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    const branded = typeof value === "object" && value !== null && BRAND in value;
    return this === SkyError ? branded : branded && Function.prototype[Symbol.hasInstance].call(this, value);
  }
}
