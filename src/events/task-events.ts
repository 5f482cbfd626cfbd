import type { EventBase } from "./event-base.ts";
import type { LossCause } from "../errors/loss-cause.ts";

interface OfTask extends EventBase {
  readonly task: string;
  /** The function's name. */
  readonly name: string;
}

interface OfAttempt extends OfTask {
  readonly node: number;
  /** 1 for the first. */
  readonly attempt: number;
}

/** When things happened to a task, ms since the epoch by the controller's clock; left out what did not happen, or is not known. */
export interface TaskTimes {
  readonly queuedAt: number;
  readonly sentAt?: number;
  readonly startedAt?: number;
  readonly endedAt?: number;
}

/** What a failure looks like to a reader of events: plain data, never the error itself. */
export interface TaskFailure {
  readonly name: string;
  readonly message: string;
  readonly code?: string;
}

export interface TaskQueued extends OfTask {
  readonly type: "Task.Queued";
  readonly kind: "single" | "broadcast" | "group" | "map";
  /** For a broadcast: the nodes that it runs on. */
  readonly total?: number;
}

export interface TaskAssigned extends OfAttempt {
  readonly type: "Task.Assigned";
  /** How long it waited for a slot. */
  readonly queuedMs: number;
}

/** The function called `task().progress(done, of)`. */
export interface TaskProgress extends OfAttempt {
  readonly type: "Task.Progress";
  readonly done: number;
  readonly of?: number;
}

export interface TaskCompleted extends OfAttempt {
  readonly type: "Task.Completed";
  /** How long it ran. */
  readonly elapsedMs: number;
  readonly times?: TaskTimes;
}

export interface TaskFailed extends OfTask {
  readonly type: "Task.Failed";
  /** Left out when the task never reached a node. */
  readonly node?: number;
  readonly attempt: number;
  readonly elapsedMs: number;
  readonly times?: TaskTimes;
  readonly error: TaskFailure;
}

export interface TaskCancelled extends OfTask {
  readonly type: "Task.Cancelled";
  readonly node?: number;
  readonly attempt: number;
  readonly elapsedMs: number;
  readonly times?: TaskTimes;
}

/** An attempt ended without the task's outcome, and the task is queued again. */
export interface TaskRetried extends OfAttempt {
  readonly type: "Task.Retried";
  /** `failed` when the function threw and its retry rule said again; else how the attempt was lost. */
  readonly reason: LossCause | "failed";
  readonly message: string;
  readonly times?: TaskTimes;
  /** How long it waits before it is queued again; left out where it does not. */
  readonly waitMs?: number;
  /** The task that took this one down with it, where that is known. */
  readonly culprit?: string;
}

/** The task was answered before: its result was kept on this machine, and nothing ran. */
export interface TaskCached extends OfTask {
  readonly type: "Task.Cached";
}

/** A task of a function with `inspect` waits for a debugger. Always emitted. */
export interface TaskInspectable extends OfAttempt {
  readonly type: "Task.Inspectable";
  /** On this machine's loopback. */
  readonly port: number;
  /** Such as `ws://127.0.0.1:41234/2f1c...`. */
  readonly address: string;
}

export interface TaskBroadcastPartial extends OfTask {
  readonly type: "Task.BroadcastPartial";
  readonly done: number;
  readonly total: number;
}

/**
 * The counts of the whole pool, at most 10 times a second and once more before `Pool.Stopped`. Always emitted, while
 * events of single tasks (`Task.*`) are emitted only when somebody observes them.
 */
export interface TasksProgress extends EventBase {
  readonly type: "Tasks.Progress";
  readonly queued: number;
  /** On a node, prefetched ones included. */
  readonly running: number;
  readonly done: number;
  readonly failed: number;
  readonly cancelled: number;
  /** Tasks that are finished, by rank. */
  readonly perNode?: readonly number[];
  /** Tasks that a node has, by rank, prefetched ones included. */
  readonly runningPerNode?: readonly number[];
  /** Why tasks wait although none is on a node. */
  readonly reason?: string;
}

/** So many tasks of a function were served from its cache in one go. Always emitted, unlike `Task.Cached`. */
export interface TasksCached extends EventBase {
  readonly type: "Tasks.Cached";
  readonly name: string;
  readonly count: number;
}

export type TaskEvent =
  | TaskQueued
  | TaskAssigned
  | TaskProgress
  | TaskCompleted
  | TaskFailed
  | TaskCancelled
  | TaskRetried
  | TaskInspectable
  | TaskCached
  | TaskBroadcastPartial
  | TasksProgress
  | TasksCached;
