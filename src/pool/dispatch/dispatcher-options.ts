import type { ListedPackage } from "../../function/artifact/native/listed.ts";
import type { DispatchEvents } from "./dispatch-events.ts";

export interface DispatcherOptions {
  readonly defaultLimitMs: number;
  /** Packages that the nodes install rather than get. */
  readonly listed: readonly ListedPackage[];
  readonly retryOnInterruption: number;
  /** Tasks that a node may hold beyond its slots. @default as their times ask for */
  readonly buffer?: number | undefined;
  readonly events: DispatchEvents;
  /** What to say of a function that can't be sent. */
  readonly refusal: (error: unknown) => unknown;
  /** Called before each tick's work is given to nodes. */
  readonly beforeWork: () => void;
  /** Milliseconds since the pool began. */
  readonly now: () => number;
  /** When it began, ms since the epoch. */
  readonly epochMs: number;
}
