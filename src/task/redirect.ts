import { AsyncLocalStorage } from "node:async_hooks";
import { currentTask, type TaskContext } from "./context.ts";
import { interceptWrites, type OutputStream } from "./intercept.ts";
import { LineBuffer } from "./line-buffer.ts";

/** Gets each line without its end, and where it was written to. */
export type RedirectCallback = (line: string, stream: OutputStream) => void;

/** Writes to the callback of a redirection, as the stream itself would. */
export interface CallbackWriter {
  write(text: string | Uint8Array): boolean;
}

/** Where output goes now. Disposing it gives the output back, after the unfinished lines. */
export interface Redirection extends Disposable {
  readonly stdout: CallbackWriter;
  readonly stderr: CallbackWriter;
  /** The same as disposing it. Doing it twice is fine. */
  restore(): void;
}

const byTask = new Map<TaskContext | undefined, Redirect[]>();
let scopes: AsyncLocalStorage<Redirect[]> | undefined;
let openScopes = 0;
let stop: (() => void) | undefined;

/**
 * Sends what this task writes to stdout and stderr, `console` included, to a callback instead, line by line.
 * Outside a task: what the program writes.
 *
 * ```ts
 * const lines: string[] = [];
 * {
 *   using output = sky.redirectOutput((line) => lines.push(line));
 *   console.log("captured");
 * }
 * await sky.redirectOutput((line) => lines.push(line), async () => noisy());
 * ```
 * With a body only what the body writes is redirected, through its awaits, and its result is returned.
 */
export function redirectOutput(callback: RedirectCallback): Redirection;
export function redirectOutput<T>(callback: RedirectCallback, body: (output: Redirection) => T): T;
export function redirectOutput<T>(callback: RedirectCallback, body?: (output: Redirection) => T): Redirection | T {
  const redirect = new Redirect(callback);
  return body === undefined ? pushed(redirect) : scoped(redirect, body);
}

/** Ends the redirections that a task left open. */
export function endRedirects(task: TaskContext): void {
  if (byTask.size === 0) return;
  for (const redirect of byTask.get(task)?.slice() ?? []) redirect.restore();
}

class Redirect implements Redirection {
  readonly stdout: CallbackWriter;
  readonly stderr: CallbackWriter;
  readonly #lines: Readonly<Record<OutputStream, LineBuffer>>;
  /** Set while the callback runs: what it prints itself goes on to the next one. */
  delivering = false;
  onRestore: (() => void) | undefined;

  constructor(callback: RedirectCallback) {
    const lines = (stream: OutputStream): LineBuffer =>
      new LineBuffer((text, overwrite) => {
        if (overwrite) return;
        this.delivering = true;
        try {
          callback(text, stream);
        } finally {
          this.delivering = false;
        }
      });
    this.#lines = { stdout: lines("stdout"), stderr: lines("stderr") };
    this.stdout = { write: (text) => this.push("stdout", text) };
    this.stderr = { write: (text) => this.push("stderr", text) };
  }

  push(stream: OutputStream, chunk: string | Uint8Array): true {
    this.#lines[stream].push(chunk);
    return true;
  }

  flush(): void {
    this.#lines.stdout.flush();
    this.#lines.stderr.flush();
  }

  restore(): void {
    const ended = this.onRestore;
    this.onRestore = undefined;
    ended?.();
    if (ended !== undefined) this.flush();
  }

  [Symbol.dispose](): void {
    this.restore();
  }
}

function pushed(redirect: Redirect): Redirection {
  const scope = scopes?.getStore();
  const task = currentTask();
  const stack = scope ?? byTask.get(task) ?? [];
  stack.push(redirect);
  if (scope === undefined) byTask.set(task, stack);
  watch();
  redirect.onRestore = () => {
    const index = stack.indexOf(redirect);
    if (index >= 0) stack.splice(index, 1);
    if (stack.length === 0 && scope === undefined) byTask.delete(task);
    unwatch();
  };
  return redirect;
}

function scoped<T>(redirect: Redirect, body: (output: Redirection) => T): T {
  scopes ??= new AsyncLocalStorage();
  openScopes++;
  watch();
  redirect.onRestore = () => {
    openScopes--;
    unwatch();
  };
  const stack = [...(stackHere() ?? []), redirect];
  let result: T;
  try {
    result = scopes.run(stack, body, redirect);
  } catch (error) {
    redirect.restore();
    throw error;
  }
  if (!(result instanceof Promise)) {
    redirect.restore();
    return result;
  }
  return result.finally(() => redirect.restore()) as T;
}

function stackHere(): Redirect[] | undefined {
  return scopes?.getStore() ?? byTask.get(currentTask());
}

function watch(): void {
  stop ??= interceptWrites((stream, chunk) => {
    const taker = stackHere()?.findLast((redirect) => !redirect.delivering);
    return taker?.push(stream, chunk) ?? false;
  });
}

function unwatch(): void {
  if (openScopes > 0 || byTask.size > 0) return;
  stop?.();
  stop = undefined;
  // A storage that never ran costs nothing: give its price back.
  scopes?.disable();
  scopes = undefined;
}
