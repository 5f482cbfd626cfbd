import type { Readable, Writable } from "node:stream";
import type { MachineProcess } from "../../providers/provider.ts";
import { withEnvironment } from "./command-script.ts";
import type { Place } from "./exec.ts";

export interface ShellOptions {
  /** A command in place of the login shell. */
  readonly command?: string | undefined;
  /** Of the terminal. @default those of this program's terminal, else 80 by 24 */
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
  /** @default this program's terminal, in raw mode while the shell runs */
  readonly stdin?: Readable | undefined;
  readonly stdout?: Writable | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Opens a shell with a terminal on a node, on this program's terminal. @returns its exit code; null where a signal ended it */
export async function shell(place: Place, options: ShellOptions): Promise<number | null> {
  const running = await openShell(place, options);
  const { stdin = process.stdin, stdout = process.stdout } = options;
  const signal = AbortSignal.any([options.signal, place.closed].filter((one) => one !== undefined));
  const terminal = stdin === process.stdin && process.stdin.isTTY ? process.stdin : undefined;
  const kill = (): void => running.kill();
  const resize = (): void => running.resize(process.stdout.columns, process.stdout.rows);
  signal.addEventListener("abort", kill, { once: true });
  if (signal.aborted) kill();
  terminal?.setRawMode(true);
  if (terminal !== undefined) process.stdout.on("resize", resize);
  stdin.pipe(running.stdin);
  running.stdout.pipe(stdout, { end: false });
  running.stderr.pipe(stdout, { end: false });
  try {
    return (await running.exit).code;
  } finally {
    signal.removeEventListener("abort", kill);
    process.stdout.off("resize", resize);
    stdin.unpipe(running.stdin);
    terminal?.setRawMode(false);
    // What was typed ahead is the program's own.
    if (terminal !== undefined) terminal.pause();
  }
}

export interface OpenShellOptions extends ShellOptions {
  /** false: none, and commands come on stdin. @default true */
  readonly terminal?: boolean;
  /** Its type. @default this program's terminal's */
  readonly term?: string;
}

/** A shell as streams, for those that have a terminal elsewhere. */
export function openShell({ machine, env, closed }: Place, options: OpenShellOptions): Promise<MachineProcess> {
  const pty = {
    columns: options.columns ?? (process.stdout.columns || 80),
    rows: options.rows ?? (process.stdout.rows || 24),
    term: options.term ?? process.env["TERM"] ?? "xterm-256color",
  };
  const terminal = options.terminal !== false;
  const login = `exec "\${SHELL:-/bin/sh}" ${terminal ? "-il" : "-l"}`;
  const script = withEnvironment(options.command ?? login, env);
  return machine.spawn({ script, ...(terminal && { pty }) }, options.signal ?? closed);
}
