import { SkyError } from "../../errors/sky-error.ts";
import { parseDuration } from "../../function/duration.ts";
import type { Machine, MachineProcess } from "../../providers/provider.ts";
import { commandScript, withEnvironment } from "./command-script.ts";
import { OutputReader } from "./output-reader.ts";

/** A piece of what a command printed. */
export interface ExecOutput {
  readonly node: number;
  readonly stream: "stdout" | "stderr";
  /** The bytes as UTF-8; a character is never cut in two. */
  readonly text: string;
  readonly bytes: Uint8Array;
}

export interface ExecOptions {
  /** @default every node that is ready */
  readonly target?: "all" | "head" | number | undefined;
  /** Written to its stdin. @default nothing */
  readonly stdin?: string | Uint8Array | undefined;
  /** Variables on top of those that tasks have. @default {} */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Absolute, or relative to the default. @default the home folder; with `sky.local()` this program's folder */
  readonly cwd?: string | undefined;
  /** Ends the command when it takes longer, such as "30s". @default no limit */
  readonly timeout?: string | undefined;
  /** false: an exit code other than 0 is a result like any other. @default true */
  readonly check?: boolean | undefined;
  /** Each piece of output as it comes. Where it returns a promise, the command waits for it. An error of its own ends the command. */
  readonly onOutput?: ((output: ExecOutput) => unknown) | undefined;
  /** false: output is given to `onOutput` alone, however much it is, and `stdout` and `stderr` are "". @default true */
  readonly collect?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

export const EXEC_OPTIONS = [
  "target",
  "stdin",
  "env",
  "cwd",
  "timeout",
  "check",
  "onOutput",
  "collect",
  "signal",
] as const satisfies readonly (keyof ExecOptions)[];

/** How a command ended on one node. */
export interface ExecResult {
  readonly node: number;
  /** Null where a signal ended it, or the node went out of reach. */
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A machine and what its tasks have in their environment. */
export interface Place {
  readonly node: number;
  readonly machine: Machine;
  readonly env: Readonly<Record<string, string>>;
  /** Aborted when the pool closes. */
  readonly closed: AbortSignal;
}

/** How long a command that was told to end is waited for: its machine may be out of reach. */
const END_WAIT_MS = 3000;

/**
 * @throws SkyError SKY_EXEC_FAILED with all results in its details, SKY_LINK_LOST, SKY_BAD_OPTION, SKY_POOL_CLOSED, the
 * signal's reason
 */
export async function exec(
  command: string | readonly string[],
  places: readonly Place[],
  options: ExecOptions,
): Promise<ExecResult[]> {
  const script = commandScript(command, options);
  const limit =
    options.timeout === undefined ? undefined : AbortSignal.timeout(parseDuration(options.timeout, "timeout"));
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, limit, stop.signal].filter((one) => one !== undefined));
  options.signal?.throwIfAborted();
  const running = places.map((place) => execOn(place, script, options, signal));
  // What fails on one node by itself ends the others too.
  for (const one of running) one.catch((error: unknown) => stop.abort(error));
  const ended = await Promise.allSettled(running);
  options.signal?.throwIfAborted();
  stop.signal.throwIfAborted();
  const results = ended.map((one) => {
    if (one.status === "rejected") throw one.reason;
    return one.value;
  });
  const shown = typeof command === "string" ? command : command.join(" ");
  if (limit?.aborted === true)
    throw new SkyError("SKY_EXEC_FAILED", `${shown} took longer than ${options.timeout}`, { details: { results } });
  const failed = results.filter(({ code }) => code !== 0);
  if (failed.length > 0 && options.check !== false) throw failure(shown, failed, results);
  return results;
}

async function execOn(place: Place, script: string, options: ExecOptions, given: AbortSignal): Promise<ExecResult> {
  const { node, machine, env, closed } = place;
  closed.throwIfAborted();
  const signal = AbortSignal.any([given, closed]);
  if (signal.aborted) return { node, code: null, signal: null, stdout: "", stderr: "" };
  const running = await machine.spawn({ script: withEnvironment(script, { ...env, ...options.env }) }, signal);
  const [stdout, stderr] = [
    new OutputReader(running.stdout, node, "stdout", options),
    new OutputReader(running.stderr, node, "stderr", options),
  ];
  let givenUp = (): void => undefined;
  const abandoned = new Promise<void>((resolve) => (givenUp = resolve));
  let timer: NodeJS.Timeout | undefined;
  const kill = (): void => {
    running.kill();
    timer ??= setTimeout(givenUp, END_WAIT_MS);
  };
  signal.addEventListener("abort", kill, { once: true });
  if (signal.aborted) kill();
  try {
    running.stdin.on("error", () => undefined);
    running.stdin.end(options.stdin);
    const over = endOf(running, [stdout.done, stderr.done]);
    over.catch(kill);
    const end = await Promise.race([over, abandoned]);
    closed.throwIfAborted();
    return { node, ...(end ?? { code: null, signal: null }), stdout: stdout.text, stderr: stderr.text };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", kill);
  }
}

async function endOf(running: MachineProcess, read: readonly Promise<void>[]): MachineProcess["exit"] {
  await Promise.all(read);
  return running.exit;
}

function failure(shown: string, failed: readonly ExecResult[], results: readonly ExecResult[]): SkyError {
  const first = failed[0]!;
  const how = first.code === null ? (first.signal ?? "out of reach") : `exit code ${first.code}`;
  const words = (first.stderr.trim() || first.stdout.trim()).split("\n").slice(-5).join("\n");
  const others = failed.length > 1 ? `, and on ${failed.length - 1} more` : "";
  const said = words === "" ? "" : `:\n${words}`;
  return new SkyError("SKY_EXEC_FAILED", `${shown} failed on node ${first.node} (${how})${others}${said}`, {
    details: { node: first.node, exitCode: first.code, results },
  });
}
