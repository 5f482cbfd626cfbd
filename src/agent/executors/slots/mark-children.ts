import { ChildProcess } from "node:child_process";
import { currentTask } from "../../../task/context.ts";
import { TASK_MARKER } from "../../process-tree.ts";
import { TaskRun } from "./task-run.ts";

interface SpawnOptions {
  readonly envPairs?: string[];
}

/** Every way to start a process that does not block ends here. */
const prototype = ChildProcess.prototype as unknown as { spawn(options: SpawnOptions): unknown };

/** Puts a mark of its task into the environment of each process that is started, and tells of a task's first one. */
export function markChildren(spawned: (id: number, mark: string) => void): void {
  const { spawn } = prototype;
  prototype.spawn = function (options) {
    const run = currentTask();
    if (run instanceof TaskRun && Array.isArray(options?.envPairs)) {
      const mark = `${process.pid}.${run.number}.${run.attempt}`;
      options.envPairs.push(`${TASK_MARKER}=${mark}`);
      if (!run.spawned) spawned(run.number, mark);
      run.spawned = true;
    }
    return Reflect.apply(spawn, this, [options]);
  };
}
