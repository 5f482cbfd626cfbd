import type { AttemptRecord, Segment } from "./segment.ts";

/** What people may want to hear of; each is only called while `wanted` says so, but for losses and failures. */
export interface DispatchEvents {
  /** `tried`: the attempt that failed; the next one comes after `waitMs`. */
  retried(segment: Segment, index: number, tried: AttemptRecord, waitMs: number, culprit: number | undefined): void;
  /** A user's retry rule threw, so that it has not said yes. */
  ruleFailed(name: string, error: unknown): void;
  ended(segment: Segment, index: number): void;
  changed(): void;
}
