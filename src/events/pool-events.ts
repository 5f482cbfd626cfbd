import type { EventBase } from "./event-base.ts";

/** How far a pool is. It may go back: a pool whose nodes are all lost is `provisioning` again. */
export type PoolPhase =
  | "provisioning"
  | "connecting"
  | "bootstrapping"
  | "starting"
  | "ready"
  | "stopping"
  | "stopped"
  | "failed";

export interface PoolProvisioning extends EventBase {
  readonly type: "Pool.Provisioning";
  /** Nodes wanted at the start. */
  readonly totalNodes: number;
  /** Name of the provider, such as `local`. */
  readonly provider: string;
  readonly concurrency: number;
}

/** Every machine of the first round exists; agents are not up yet. */
export interface PoolProvisioned extends EventBase {
  readonly type: "Pool.Provisioned";
  readonly machines: readonly { readonly node: number; readonly name: string; readonly address: string }[];
  readonly elapsedMs: number;
}

export interface PoolPhaseChanged extends EventBase {
  readonly type: "Pool.PhaseChanged";
  readonly phase: PoolPhase;
  readonly previous: PoolPhase;
  /** How long the previous phase took. */
  readonly elapsedMs: number;
  readonly reason?: string;
}

/** Enough nodes are ready for the pool to be used. */
export interface PoolReady extends EventBase {
  readonly type: "Pool.Ready";
  readonly nodes: number;
  readonly slots: number;
  /** Since `Pool.Provisioning`. */
  readonly elapsedMs: number;
}

export interface PoolProvisionFailed extends EventBase {
  readonly type: "Pool.ProvisionFailed";
  readonly reason: string;
  readonly code?: string;
}

export interface PoolNoOffers extends EventBase {
  readonly type: "Pool.NoOffers";
  readonly specs: readonly { readonly provider: string; readonly accelerator: string; readonly allocation: string }[];
}

/** What the reconciler found and wants. */
export interface PoolReconciled extends EventBase {
  readonly type: "Pool.Reconciled";
  readonly desired: number;
  readonly actual: number;
  /** Why it acted, or why it did not. */
  readonly reason: string;
}

export interface PoolStopping extends EventBase {
  readonly type: "Pool.Stopping";
  readonly reason: string;
}

/** Machines stay for the next run of this pool's name. */
export interface PoolKept extends EventBase {
  readonly type: "Pool.Kept";
  readonly nodes: readonly number[];
  /** When they end by themselves, ms since the epoch. */
  readonly untilMs: number;
}

/** The last event of a pool. A `Tasks.Progress` with the final counts stands before it. */
export interface PoolStopped extends EventBase {
  readonly type: "Pool.Stopped";
  /** Since `Pool.Provisioning`. */
  readonly elapsedMs: number;
}

export interface ScalingDesiredChanged extends EventBase {
  readonly type: "Scaling.DesiredChanged";
  readonly desired: number;
  readonly previous: number;
  readonly reason: string;
}

/** The autoscaler left things as they are, and why. Emitted when the reason changes. */
export interface ScalingHeld extends EventBase {
  readonly type: "Scaling.Held";
  readonly desired: number;
  readonly reason: string;
}

export interface ScalingSpawning extends EventBase {
  readonly type: "Scaling.Spawning";
  readonly nodes: readonly number[];
}

export interface ScalingDraining extends EventBase {
  readonly type: "Scaling.Draining";
  readonly nodes: readonly number[];
  readonly reason: string;
}

export interface ScalingDrainCompleted extends EventBase {
  readonly type: "Scaling.DrainCompleted";
  readonly node: number;
  readonly elapsedMs: number;
}

/** Something went wrong that belongs to no single task. */
export interface ErrorOccurred extends EventBase {
  readonly type: "Error.Occurred";
  readonly message: string;
  /** Whether the pool ends because of it. */
  readonly fatal: boolean;
  readonly code?: string;
  readonly hint?: string;
  readonly node?: number;
}

export type PoolEvent =
  | PoolProvisioning
  | PoolProvisioned
  | PoolPhaseChanged
  | PoolReady
  | PoolProvisionFailed
  | PoolNoOffers
  | PoolReconciled
  | PoolStopping
  | PoolKept
  | PoolStopped
  | ScalingDesiredChanged
  | ScalingHeld
  | ScalingSpawning
  | ScalingDraining
  | ScalingDrainCompleted
  | ErrorOccurred;
