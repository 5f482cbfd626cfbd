import type { AttemptRecord, Segment } from "./segment.ts";

/** What people may want to hear of; each is only called while `wanted` says so, but for losses and failures. */
export interface DispatchEvents {
  /** `tried`: the attempt that failed; the next one comes after `waitMs`. */
  retried(segment: Segment, index: number, tried: AttemptRecord, waitMs: number, culprit: number | undefined): void;
  /** So many tasks of a function were served from its cache. */
  cached(name: string, count: number): void;
  /** What went wrong beside the tasks, in words. */
  problem(message: string): void;
  ended(segment: Segment, index: number): void;
  changed(): void;
}
