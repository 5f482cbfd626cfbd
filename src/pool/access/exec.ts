import { text } from "node:stream/consumers";
import type { Readable } from "node:stream";
import { SkyError } from "../../errors/sky-error.ts";
import { parseDuration } from "../../function/duration.ts";
import { quote } from "../../image/quote.ts";
import type { Machine, MachineProcess } from "../../providers/provider.ts";

export interface ExecOptions {
  /** @default every node that is ready */
  readonly target?: "all" | "head" | number | undefined;
  /** Written to its stdin. @default nothing */
  readonly stdin?: string | Uint8Array | undefined;
  /** Variables on top of those that tasks have. @default {} */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** @default the home folder; with `sky.local()` this program's folder */
  readonly cwd?: string | undefined;
  /** Ends the command when it takes longer, such as "30s". @default no limit */
  readonly timeout?: string | undefined;
  /** false: an exit code other than 0 is a result like any other. @default true */
  readonly check?: boolean | undefined;
  /** Each piece of output as it comes. */
  readonly onOutput?: ((output: { node: number; stream: "stdout" | "stderr"; text: string }) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

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
}

/** @throws SkyError SKY_EXEC_FAILED with all results in its details, SKY_LINK_LOST, SKY_BAD_OPTION, the signal's reason */
export async function exec(
  command: string | readonly string[],
  places: readonly Place[],
  options: ExecOptions,
): Promise<ExecResult[]> {
  const script = scriptOf(command, options.cwd);
  const limit =
    options.timeout === undefined ? undefined : AbortSignal.timeout(parseDuration(options.timeout, "timeout"));
  const signal = AbortSignal.any([options.signal, limit].filter((one) => one !== undefined));
  const results = await Promise.all(places.map((place) => execOn(place, script, options, signal)));
  options.signal?.throwIfAborted();
  const shown = typeof command === "string" ? command : command.join(" ");
  if (limit?.aborted === true)
    throw new SkyError("SKY_EXEC_FAILED", `${shown} took longer than ${options.timeout}`, { details: { results } });
  const failed = results.filter(({ code }) => code !== 0);
  if (failed.length > 0 && options.check !== false) throw failure(shown, failed, results);
  return results;
}

/** The command as a script for `sh`, behind the variables of the place. */
export function withEnvironment(script: string, env: Readonly<Record<string, string>>): string {
  const exports = Object.entries(env).map(([name, value]) => `export ${name}=${quote(value)}\n`);
  return `${exports.join("")}${script}`;
}

async function execOn(place: Place, script: string, options: ExecOptions, signal: AbortSignal): Promise<ExecResult> {
  const { node, machine, env } = place;
  const running = await machine.spawn({ script: withEnvironment(script, { ...env, ...options.env }) }, signal);
  const kill = (): void => running.kill();
  signal.addEventListener("abort", kill, { once: true });
  if (signal.aborted) kill();
  try {
    const output = collect(running, node, options.onOutput);
    running.stdin.on("error", () => undefined);
    running.stdin.end(options.stdin);
    const [[stdout, stderr], { code, signal: by }] = await Promise.all([output, running.exit]);
    return { node, code, signal: by, stdout, stderr };
  } finally {
    signal.removeEventListener("abort", kill);
  }
}

async function collect(
  { stdout, stderr }: MachineProcess,
  node: number,
  onOutput: ExecOptions["onOutput"],
): Promise<[string, string]> {
  const read = async (from: Readable, stream: "stdout" | "stderr"): Promise<string> => {
    if (onOutput === undefined) return text(from);
    from.setEncoding("utf8");
    let all = "";
    for await (const piece of from as AsyncIterable<string>) {
      all += piece;
      onOutput({ node, stream, text: piece });
    }
    return all;
  };
  // A connection that breaks ends the streams in the middle; the missing exit code tells it.
  return Promise.all([read(stdout, "stdout").catch(() => ""), read(stderr, "stderr").catch(() => "")]);
}

function scriptOf(command: unknown, cwd: string | undefined): string {
  const inner =
    typeof command === "string"
      ? command
      : Array.isArray(command) && command.length > 0 && command.every((word) => typeof word === "string")
        ? `exec ${command.map(quote).join(" ")}`
        : undefined;
  if (inner === undefined || inner.trim() === "" || inner.includes("\0")) {
    throw new SkyError("SKY_BAD_CALL", "pool.exec takes a shell command, or a list of words", {
      hint: 'Write pool.exec("nvidia-smi"), or pool.exec(["ls", "-l", path]).',
    });
  }
  return cwd === undefined ? `${inner}\n` : `cd ${quote(cwd)} || exit 1\n${inner}\n`;
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
