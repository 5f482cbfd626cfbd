import type { ProcessEnd } from "../../wire/records.ts";
import type { LossCause } from "../../errors/loss-cause.ts";

/** How tasks were lost. `culprit`: another task, for which their process was ended; they are innocent. */
export interface Loss {
  readonly cause: LossCause;
  readonly reason: string;
  readonly culprit?: number | undefined;
  /** The task did nothing to be lost: it runs again at no charge. @default whether there is a culprit */
  readonly innocent?: boolean;
  /** How the process ended that ran only this task. */
  readonly end?: ProcessEnd | undefined;
  /** What was given to the node since has never left, in ms of the pool's clock. */
  readonly unsentSince?: number | undefined;
}
