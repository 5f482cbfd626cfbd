import { EMPTY_HISTOGRAM, type Histogram } from "./histogram.ts";
import type { LossCause } from "../errors/loss-cause.ts";
import type { PoolPhase } from "./pool-events.ts";

export type NodeStatus =
  | "waiting"
  | "provisioning"
  | "connecting"
  | "bootstrapping"
  | "starting"
  | "ready"
  | "disconnected"
  | "draining"
  | "lost"
  | "gone";

export interface BootstrapView {
  readonly active: string | undefined;
  readonly completed: readonly { readonly phase: string; readonly elapsedMs: number }[];
  readonly failed: string | undefined;
  /** The last lines of its output, at most 20. */
  readonly output: readonly string[];
}

export interface NodeStep {
  readonly step: string;
  readonly at: number;
}

export interface NodeView {
  readonly node: number;
  readonly status: NodeStatus;
  /** When it got this status, in ms since the epoch. */
  readonly since: number;
  readonly machine: string | undefined;
  readonly address: string | undefined;
  readonly slots: number;
  /** What it is busy with before it is ready, in words. */
  readonly phase: string | undefined;
  /** Why it is lost, or what went wrong last. */
  readonly problem: string | undefined;
  readonly lossCause: LossCause | undefined;
  /** How often its host process was replaced. */
  readonly hostsReplaced: number;
  readonly bootstrap: BootstrapView | undefined;
  /** Its last steps, at most 64, each up to the next: `provision`, `connect`, phases of the provider, `agent`, `ready`, ... */
  readonly steps: readonly NodeStep[];
  /** The last value of each metric, at most 64 names. */
  readonly metrics: Readonly<Record<string, number>>;
}

export interface TaskEntry {
  readonly task: string;
  readonly name: string;
  readonly node: number;
  readonly attempt: number;
  readonly startedAt: number;
  readonly done: number | undefined;
  readonly of: number | undefined;
}

export interface FunctionStats {
  readonly done: number;
  readonly failed: number;
  readonly totalMs: number;
}

/** Counts come from `Tasks.Progress` alone; the rest from `Task.*`, which flow only while somebody observes them. */
export interface TasksView {
  readonly queued: number;
  readonly running: number;
  readonly done: number;
  readonly failed: number;
  readonly cancelled: number;
  readonly retried: number;
  /** Tasks that were served from a cache; `done` counts them too. */
  readonly cached: number;
  /** Finished tasks by rank. */
  readonly perNode: readonly number[];
  /** Tasks that a node has now, by rank. */
  readonly runningPerNode: readonly number[];
  /** When the first task was seen, and when the counts last moved. */
  readonly firstAt: number | undefined;
  readonly lastAt: number | undefined;
  /** Since when no task runs although some are queued, and why. */
  readonly stalledSince: number | undefined;
  readonly reason: string | undefined;
  /** Finished tasks at past moments, at most 20 of the last 5 s: enough for a rate. */
  readonly samples: readonly { readonly at: number; readonly finished: number }[];
  /** Running tasks, at most 256. */
  readonly inflight: readonly TaskEntry[];
  readonly latency: Histogram;
  /** By function, at most 128 names. */
  readonly functions: Readonly<Record<string, FunctionStats>>;
}

export interface ScalingView {
  readonly desired: number;
  /** Ranks that are on their way out. */
  readonly draining: readonly number[];
  /** Why the pool has this size, or why it does not change. */
  readonly reason: string | undefined;
}

export interface PoolView {
  readonly name: string;
  readonly phase: PoolPhase;
  readonly provider: string | undefined;
  /** By rank, without holes. */
  readonly nodes: readonly NodeView[];
  readonly counts: Readonly<Record<NodeStatus, number>>;
  /** Nodes that should exist now. */
  readonly totalNodes: number;
  /** Slots of the nodes that are ready. */
  readonly slots: number;
  readonly tasks: TasksView;
  readonly scaling: ScalingView;
  readonly phases: readonly { readonly phase: PoolPhase; readonly elapsedMs: number }[];
  readonly startedAt: number;
  readonly readyAt: number | undefined;
  /** When it began to close. */
  readonly stoppingAt: number | undefined;
  readonly stoppedAt: number | undefined;
  readonly problem: string | undefined;
}

export interface SessionView {
  readonly pools: Readonly<Record<string, PoolView>>;
}

export const EMPTY_SESSION: SessionView = { pools: {} };

export function emptyPool(name: string, at: number): PoolView {
  return {
    name,
    phase: "provisioning",
    provider: undefined,
    nodes: [],
    counts: {
      waiting: 0,
      provisioning: 0,
      connecting: 0,
      bootstrapping: 0,
      starting: 0,
      ready: 0,
      disconnected: 0,
      draining: 0,
      lost: 0,
      gone: 0,
    },
    totalNodes: 0,
    slots: 0,
    tasks: EMPTY_TASKS,
    scaling: { desired: 0, draining: [], reason: undefined },
    phases: [],
    startedAt: at,
    readyAt: undefined,
    stoppingAt: undefined,
    stoppedAt: undefined,
    problem: undefined,
  };
}

const EMPTY_TASKS: TasksView = {
  queued: 0,
  running: 0,
  done: 0,
  failed: 0,
  cancelled: 0,
  retried: 0,
  cached: 0,
  perNode: [],
  runningPerNode: [],
  firstAt: undefined,
  lastAt: undefined,
  stalledSince: undefined,
  reason: undefined,
  samples: [],
  inflight: [],
  latency: EMPTY_HISTOGRAM,
  functions: {},
};

export function emptyNode(node: number, at: number): NodeView {
  return {
    node,
    status: "waiting",
    since: at,
    machine: undefined,
    address: undefined,
    slots: 0,
    phase: undefined,
    problem: undefined,
    lossCause: undefined,
    hostsReplaced: 0,
    steps: [],
    bootstrap: undefined,
    metrics: {},
  };
}
