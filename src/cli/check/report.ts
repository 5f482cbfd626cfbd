import type { ExplainedData } from "../../function/explain/explanation.ts";

/** What the process that ran a user's file found. */
export interface Report {
  /** In the order in which the file made them. */
  readonly functions: readonly ExplainedData[];
  /** Where the file would have opened a pool: nothing behind that has run. */
  readonly opens?: string;
  /** What the file threw. */
  readonly failure?: Failure;
}

export interface Failure {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
  readonly code?: string;
  readonly hint?: string;
}

/** The descriptor on which the process reports: its own output is the user's. */
export const REPORT_FD = 3;
