import type { ErrorCode } from "../errors/codes.ts";
import type { MetricSample } from "./metric-spec.ts";

/** A link's first line may be this long, in bytes, its end included. */
export const HELLO_MAX_BYTES = 4096;
/** Lines of the control link after the first one. */
export const CONTROL_LINE_MAX_BYTES = 1024 * 1024;

/** The first line of every connection to a supervisor's socket, sent before anything else. */
export interface Hello {
  readonly v: number;
  readonly token: string;
  readonly epoch: number;
  /** `adopt`: an `attach` whose own stdin and stdout are the data link, to be opened by its `pid`. */
  readonly kind: "control" | "data" | "bulk" | "adopt";
  readonly pid?: number;
  /** With `adopt`: which link it is. @default "data" */
  readonly link?: "data" | "bulk";
}

/** The answer to a `Hello`: from the supervisor on a control link or a refusal, else from the host. */
export type Answer = { readonly ok: true; readonly pid: number; readonly generation?: number } | Refusal;

/** `retryable`: the same link may be taken a moment later. */
export interface Refusal {
  readonly ok: false;
  readonly code: ErrorCode;
  readonly error: string;
  readonly retryable?: true;
}

/** A host that ended. The supervisor starts the next generation by itself. */
export interface HostDeath {
  readonly type: "host";
  readonly generation: number;
  readonly state: "dead";
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The last 4 KiB of what it wrote to stderr. */
  readonly stderr: string;
  /** The kernel killed it, or a process of it, because there was no memory left. */
  readonly outOfMemory?: true;
  /** Outcomes are on disk that its controller may not have: a data link that names its session gets them. */
  readonly left?: true;
}

/** What a node tells of itself for the others. */
export interface NodePlace {
  /** IPv4, where its default route begins; left out on the controller's own computer. */
  readonly address?: string;
  readonly accelerators: number;
}

/** A host that takes data links. Generations start at 1. */
export interface HostReady {
  readonly type: "host";
  readonly generation: number;
  readonly state: "ready";
  readonly pid: number;
  readonly place?: NodePlace;
}

/** A line that belongs to the node and to no task. */
export interface NodeLine {
  readonly type: "log";
  readonly level: "info" | "warn" | "error";
  /** Where the host or a child of it wrote the line; absent for the supervisor's own words. */
  readonly stream?: "stdout" | "stderr";
  readonly line: string;
}

/** What the supervisor measured of its node since the last such line. */
export interface MetricsLine {
  readonly type: "metrics";
  readonly samples: readonly MetricSample[];
}

/** From the `attach` in between: the supervisor has ended without a word. Reads as a refusal where an answer is due. */
export interface Gone extends Refusal {
  readonly type: "gone";
}

export type ToController =
  /** `at`: the node's clock, ms since the epoch. */
  | { readonly type: "pong"; readonly id: number; readonly at: number }
  | HostReady
  | HostDeath
  | NodeLine
  | MetricsLine
  /** The answer to `keep`: this link may be closed now. */
  | { readonly type: "kept" }
  | Gone
  /** The link broke the protocol and is closed after this line. */
  | { readonly type: "error"; readonly code: ErrorCode; readonly error: string };

export type ToSupervisor =
  | { readonly type: "ping"; readonly id: number }
  /** Orderly goodbye: end now, leave nothing. */
  | { readonly type: "end" }
  /** The pool is closed: begin afresh, and wait so long for the next controller. */
  | { readonly type: "keep"; readonly ms: number };

export const jsonLine = (value: Hello | Answer | ToController | ToSupervisor): string => `${JSON.stringify(value)}\n`;
