import { SkyError } from "../errors/sky-error.ts";
import { parseDuration } from "../function/duration.ts";
import { bad, known, oneOf, whole } from "./checks.ts";

const EXECUTORS = ["auto", "thread", "process"] as const;

export interface WorkerOptions {
  /** Tasks at a time on each node. @default 1 */
  readonly concurrency?: number | undefined;
  /**
   * What runs them: threads of one process, or a process for each slot, which costs more and keeps a crash or a leak to
   * itself. `auto` is threads, but processes for functions with native packages. @default "auto"
   */
  readonly executor?: (typeof EXECUTORS)[number] | undefined;
  /** Tasks that wait on a node beyond those that run. @default a round trip of work, none for tasks above 1 s */
  readonly buffer?: number | undefined;
  /** Whether a process goes on to the next task; `false` gives each task a fresh one. @default true */
  readonly reuseProcesses?: boolean | undefined;
  /** How long a body that was told to stop has before its thread or process is ended. @default "5s" */
  readonly killGrace?: string | undefined;
}

/** The same, checked and complete. */
export interface WorkerSpec {
  readonly concurrency: number;
  readonly executor: (typeof EXECUTORS)[number];
  readonly buffer: number | undefined;
  readonly reuseProcesses: boolean;
  readonly killGraceMs: number;
}

const NAMES = ["concurrency", "executor", "buffer", "reuseProcesses", "killGrace"];
const MAX_CONCURRENCY = 4096;
const MAX_BUFFER = 32_768;

/** @throws SkyError SKY_BAD_OPTION, SKY_BAD_DURATION */
export function resolveWorker(given: unknown): WorkerSpec {
  if (given !== undefined && (typeof given !== "object" || given === null || Array.isArray(given)))
    throw bad("worker", "an object such as { concurrency: 4 }", given);
  const worker = (given ?? {}) as WorkerOptions;
  known("worker", worker, NAMES);
  const executor = oneOf("worker.executor", worker.executor, EXECUTORS) ?? "auto";
  const { reuseProcesses = true } = worker;
  if (typeof reuseProcesses !== "boolean") throw bad("worker.reuseProcesses", "true or false", reuseProcesses);
  if (!reuseProcesses && executor === "thread")
    throw new SkyError("SKY_BAD_OPTION", "worker.reuseProcesses: false has no meaning for threads", {
      hint: 'Add executor: "process" for a fresh process for each task.',
    });
  return {
    concurrency: whole("worker.concurrency", worker.concurrency, 1, MAX_CONCURRENCY) ?? 1,
    executor,
    buffer: whole("worker.buffer", worker.buffer, 0, MAX_BUFFER),
    reuseProcesses,
    killGraceMs: worker.killGrace === undefined ? 5000 : parseDuration(worker.killGrace, "worker.killGrace"),
  };
}
