import type { LossCause } from "../errors/loss-cause.ts";
import type { EventBase } from "./event-base.ts";

interface OfNode extends EventBase {
  /** Rank of the node. */
  readonly node: number;
}

/** A machine for this rank is being made. */
export interface NodeProvisioning extends OfNode {
  readonly type: "Node.Provisioning";
}

export interface NodeProvisioned extends OfNode {
  readonly type: "Node.Provisioned";
  /** The machine's name, such as `local-0` or `user@host:22`. */
  readonly machine: string;
  readonly address: string;
  readonly elapsedMs: number;
}

/** A connection to the machine is being made: what the provider says it does now. */
export interface NodePhaseChanged extends OfNode {
  readonly type: "Node.PhaseChanged";
  /** In words, such as `pushing the agent`. */
  readonly phase: string;
  /** The phase that ended, and how long it took. */
  readonly previous?: string;
  readonly elapsedMs?: number;
}

/** The machine answers; the agent is not up yet. */
export interface NodeConnected extends OfNode {
  readonly type: "Node.Connected";
  readonly machine: string;
  readonly elapsedMs: number;
}

export interface NodeReady extends OfNode {
  readonly type: "Node.Ready";
  readonly machine: string;
  readonly slots: number;
  /** Since `Node.Provisioning`. */
  readonly elapsedMs: number;
}

/** The link is cut and will be resumed; nothing is lost so far. */
export interface NodeDisconnected extends OfNode {
  readonly type: "Node.Disconnected";
  readonly reason: string;
}

export interface NodeReconnected extends OfNode {
  readonly type: "Node.Reconnected";
  /** How long the link was away. */
  readonly elapsedMs: number;
}

export interface NodeLost extends OfNode {
  readonly type: "Node.Lost";
  readonly cause: LossCause;
  readonly reason: string;
  readonly machine?: string;
  /** File on this computer with the last 1 MB of what the node said; it outlives the program. */
  readonly log?: string;
}

export interface NodeConnectionFailed extends OfNode {
  readonly type: "Node.ConnectionFailed";
  readonly error: string;
  readonly code?: string;
  readonly hint?: string;
  /** Milliseconds until the next try; left out when there is none. */
  readonly retryInMs?: number;
}

/** The agent did not come up, or gave up. */
export interface NodeWorkerFailed extends OfNode {
  readonly type: "Node.WorkerFailed";
  readonly error: string;
  readonly code?: string;
  /** As of `Node.Lost`. */
  readonly log?: string;
}

/** The provider takes the machine away. */
export interface NodePreempted extends OfNode {
  readonly type: "Node.Preempted";
  readonly reason: string;
  /** Milliseconds left until it goes, where the provider says so. */
  readonly noticeMs?: number;
}

/** The process that carries the executors died and another one took its place. */
export interface NodeHostReplaced extends OfNode {
  readonly type: "Node.HostReplaced";
  /** Generation of the new host. The first is 1. */
  readonly generation: number;
  /** Signal that ended the old host, such as `SIGSEGV`. */
  readonly signal: string | null;
  readonly exitCode: number | null;
  /** The old host's last lines on stderr. */
  readonly stderr?: string;
  /** Tasks that were running in it. */
  readonly tasks: number;
}

/** Another machine took the rank of a lost one. */
export interface NodeReplaced extends OfNode {
  readonly type: "Node.Replaced";
  readonly previous: string;
  readonly machine: string;
}

/** The node goes on with a machine that an earlier run of the pool has kept. */
export interface NodeAdopted extends OfNode {
  readonly type: "Node.Adopted";
  readonly machine: string;
  /** ms since the epoch. */
  readonly keptAt: number;
}

/** A package with native code, such as `sharp@0.33.5`, is being installed there. */
export interface NodeInstalling extends OfNode {
  readonly type: "Node.Installing";
  readonly package: string;
}

export interface NodeInstalled extends OfNode {
  readonly type: "Node.Installed";
  readonly package: string;
  readonly elapsedMs: number;
}

export interface NodeDraining extends OfNode {
  readonly type: "Node.Draining";
  readonly reason: string;
}

/** The machine is released: by the provider's word it is gone. */
export interface NodeGone extends OfNode {
  readonly type: "Node.Gone";
  readonly elapsedMs: number;
}

export interface NodeBootstrapStarted extends OfNode {
  readonly type: "Node.Bootstrap.Started";
  readonly phase: string;
}

export interface NodeBootstrapCommand extends OfNode {
  readonly type: "Node.Bootstrap.Command";
  readonly command: string;
}

export interface NodeBootstrapOutput extends OfNode {
  readonly type: "Node.Bootstrap.Output";
  readonly output: string;
  readonly overwrite?: boolean;
}

export interface NodeBootstrapCompleted extends OfNode {
  readonly type: "Node.Bootstrap.Completed";
  readonly phase: string;
  readonly elapsedMs: number;
}

export interface NodeBootstrapFailed extends OfNode {
  readonly type: "Node.Bootstrap.Failed";
  readonly phase: string;
  readonly error: string;
  readonly exitCode?: number;
  readonly elapsedMs: number;
}

export interface NodeBootstrapDone extends OfNode {
  readonly type: "Node.Bootstrap.Done";
  readonly success: boolean;
  readonly error?: string;
  readonly elapsedMs: number;
}

export interface MetricSampled extends OfNode {
  readonly type: "Metric.Sampled";
  readonly name: string;
  readonly value: number;
}

/** A value or file too large for a record crossed, or the files that the image includes: what of them was not there. */
export interface TransferCompleted extends OfNode {
  readonly type: "Transfer.Completed";
  /** Seen from the controller. */
  readonly direction: "in" | "out";
  readonly bytes: number;
  readonly elapsedMs: number;
}

export type OutputStream = "stdout" | "stderr";
export type LogLevel = "debug" | "info" | "warning" | "error";

/** One line that a task, a node or the pool itself wrote. `message` is as it was written: escapes are still in it. */
export interface LogEmitted extends EventBase {
  readonly type: "Log.Emitted";
  /** Left out for a line of the pool itself. */
  readonly node?: number;
  /** Left out for a line that no task wrote. */
  readonly task?: string;
  readonly attempt?: number;
  readonly stream: OutputStream;
  /** @default "info" */
  readonly level?: LogLevel;
  readonly message: string;
  /** Whether the next line of the same task and stream stands in its place (a progress bar). @default false */
  readonly overwrite?: boolean;
}

export type NodeEvent =
  | NodeProvisioning
  | NodeProvisioned
  | NodePhaseChanged
  | NodeConnected
  | NodeReady
  | NodeDisconnected
  | NodeReconnected
  | NodeLost
  | NodeConnectionFailed
  | NodeWorkerFailed
  | NodePreempted
  | NodeHostReplaced
  | NodeReplaced
  | NodeAdopted
  | NodeInstalling
  | NodeInstalled
  | NodeDraining
  | NodeGone
  | NodeBootstrapStarted
  | NodeBootstrapCommand
  | NodeBootstrapOutput
  | NodeBootstrapCompleted
  | NodeBootstrapFailed
  | NodeBootstrapDone;

export type LogEvent = LogEmitted | MetricSampled | TransferCompleted;
