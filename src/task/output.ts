import { currentTask, type TaskContext } from "./context.ts";
import { interceptWrites, type OutputStream } from "./intercept.ts";
import { LineBuffer } from "./line-buffer.ts";
import { endRedirects } from "./redirect.ts";

export interface OutputLine {
  /** Undefined for a line of no task: it belongs to the node. */
  readonly task: TaskContext | undefined;
  readonly stream: OutputStream;
  /** Without its end; at most 65,536 characters. */
  readonly text: string;
  /** Whether the next line of this task and stream stands in its place. */
  readonly overwrite: boolean;
}

type Lines = Record<OutputStream, LineBuffer>;

const open = new Map<TaskContext | undefined, Lines>();

/**
 * Gives all that this thread writes to stdout and stderr, `console` included, to `sink` as whole lines with the task
 * that wrote them. What a task may not show (`stdout`, `stderr` of its context) is dropped at once.
 * @returns a function that flushes and ends it
 */
export function installOutput(sink: (line: OutputLine) => void): () => void {
  let delivering = false;
  const linesOf = (task: TaskContext | undefined): Lines => {
    const known = open.get(task);
    if (known !== undefined) return known;
    const make = (stream: OutputStream): LineBuffer =>
      new LineBuffer((text, overwrite) => {
        delivering = true;
        try {
          sink({ task, stream, text, overwrite });
        } finally {
          delivering = false;
        }
      });
    const lines = { stdout: make("stdout"), stderr: make("stderr") };
    open.set(task, lines);
    return lines;
  };
  const uninstall = interceptWrites((stream, chunk) => {
    // What the sink itself prints goes out the old way.
    if (delivering) return false;
    const task = currentTask();
    if (task?.[stream] !== false) linesOf(task)[stream].push(chunk);
    return true;
  }, "last");
  return () => {
    flushOutput();
    uninstall();
  };
}

/** Ends a task's output: its open redirections and its unfinished lines. Costs next to nothing when it wrote none. */
export function flushTask(task: TaskContext): void {
  endRedirects(task);
  if (open.size === 0) return;
  const lines = open.get(task);
  if (lines === undefined) return;
  open.delete(task);
  flush(lines);
}

/** Gives away the unfinished lines of all tasks and of the node, as before an exit. */
export function flushOutput(): void {
  for (const lines of open.values()) flush(lines);
  open.clear();
}

function flush(lines: Lines): void {
  lines.stdout.flush();
  lines.stderr.flush();
}
