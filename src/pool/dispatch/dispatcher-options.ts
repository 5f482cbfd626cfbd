import type { DispatchEvents } from "./dispatch-events.ts";

export interface DispatcherOptions {
  readonly defaultLimitMs: number;
  readonly retryOnInterruption: number;
  readonly events: DispatchEvents;
  /** What to say of a function that can't be sent. */
  readonly refusal: (error: unknown) => unknown;
  /** Milliseconds since the pool began. */
  readonly now: () => number;
  /** When it began, ms since the epoch. */
  readonly epochMs: number;
}
