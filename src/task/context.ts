import { AsyncLocalStorage } from "node:async_hooks";
import { SkyError } from "../errors/sky-error.ts";

/** The task that runs now, as its own function sees it. */
export interface TaskContext {
  /** Unique in the pool, the same for every attempt: usable as an idempotency key. */
  readonly id: string;
  /** 1 for the first. */
  readonly attempt: number;
  /** The slot that it holds, counted within its executor thread. */
  readonly slot: number;
  /** Aborts when the task is cancelled or its time is over. */
  readonly signal: AbortSignal;
  /** Whether what it writes to this stream leaves the node. @default true */
  readonly stdout?: boolean;
  readonly stderr?: boolean;
  /** Tells the controller how far the task is: `done` parts `of` so many, where that is known. */
  progress(done: number, of?: number): void;
}

let current: TaskContext | undefined;
let storage: AsyncLocalStorage<TaskContext> | undefined;

/**
 * Chooses how tasks are told apart. A thread with one slot needs no more than a variable; where slots share a thread,
 * AsyncLocalStorage follows each task through its awaits, and costs several times that on Node 20.
 */
export function useAsyncContext(on: boolean): void {
  if (on) storage ??= new AsyncLocalStorage();
  else {
    storage?.disable();
    storage = undefined;
  }
}

/** The task that the caller belongs to; undefined for code of no task. */
export function currentTask(): TaskContext | undefined {
  return storage?.getStore() ?? current;
}

/** Makes `context` the task of whatever runs from now on in this thread: for threads with one slot. */
export function setCurrentTask(context: TaskContext | undefined): void {
  current = context;
}

/** Runs `body` as part of a task, through its awaits where asynchronous contexts are used. */
export function runInTask<T>(context: TaskContext, body: () => T): T {
  if (storage !== undefined) return storage.run(context, body);
  const before = current;
  const restore = (): void => {
    if (current === context) current = before;
  };
  current = context;
  let result: T;
  try {
    result = body();
  } catch (error) {
    restore();
    throw error;
  }
  if (result instanceof Promise) result.then(restore, restore);
  else restore();
  return result;
}

/**
 * The task that runs this function: its id, its attempt, a signal that aborts when it should stop, and `progress`.
 * @throws SkyError SKY_NOT_IN_TASK outside a function that a pool runs
 */
export function task(): TaskContext {
  const context = currentTask();
  if (context === undefined) throw new SkyError("SKY_NOT_IN_TASK", "sky.task() was called outside a task.");
  return context;
}
