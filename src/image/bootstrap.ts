import { randomBytes } from "node:crypto";
import { SkyError } from "../errors/sky-error.ts";
import { hiderOf } from "../values/hide-secrets.ts";
import type { ResolvedImage } from "./image.ts";
import type { ExtraCa } from "./network.ts";
import { likelyCause } from "./likely-cause.ts";
import { type BootstrapEvent, BootstrapOutput } from "./output.ts";
import { bootstrapInput, bootstrapScript } from "./script.ts";
import { type PinnedProgram, uvFile } from "./uv.ts";

/** What was told to end has this long before it is left alone: it may not listen, or be root's. */
const STOP_WAIT_MS = 6000;
/** How many lines of a failed phase are shown. */
const SHOWN_LINES = 20;

/** A command that runs on the machine. */
export interface RemoteCommand {
  /** What it prints, stdout and stderr, as it comes. */
  readonly output: AsyncIterable<Uint8Array>;
  /** Its exit code; null when it was killed, or is out of reach. */
  readonly exit: Promise<number | null>;
  /** Ends its stdin, and so the command with all that it started. */
  stop(): void;
  /** Looks no longer at what it prints: what it started may go on for good. */
  leave(): void;
}

/** The way to a machine's shell. */
export interface RemoteShell {
  /** The machine's name, for messages. */
  readonly name: string;
  /** What sudo may be told where it asks. */
  readonly password?: string | undefined;
  /** Runs `script` by `sh`, with `input` on its stdin, which stays open. */
  start(script: string, input: string): Promise<RemoteCommand>;
  /** Puts a file of this computer into the machine's cache. @throws SkyError what the machine said */
  put(program: PinnedProgram | ExtraCa, path: string): Promise<void>;
}

/** What the tasks of this machine get by the bootstrap. */
export interface Bootstrapped {
  /** Values of `shellVars`; with a Python environment also its VIRTUAL_ENV, and a PATH that begins with it. */
  readonly variables: Readonly<Record<string, string>>;
  /** Whether an earlier bootstrap had done all of it. */
  readonly skipped: boolean;
}

export interface BootstrapOptions {
  /** Settings of the network that go with the secrets: proxies may hold passwords. @default {} */
  readonly network?: Readonly<Record<string, string>>;
  /** Authorities that the machine's programs are to trust as well. */
  readonly ca?: ExtraCa | undefined;
  readonly onEvent?: (event: BootstrapEvent) => void;
}

/**
 * Makes a machine what its image says.
 * @throws SkyError SKY_BOOTSTRAP_FAILED with the phase, the command, its exit code and last 20 lines, and a likely cause
 */
export async function bootstrap(
  shell: RemoteShell,
  image: ResolvedImage,
  signal: AbortSignal,
  { network: given = {}, ca, onEvent }: BootstrapOptions = {},
): Promise<Bootstrapped> {
  if (ca !== undefined) await shell.put(ca, ca.path);
  const network = ca === undefined ? given : { ...given, SKYWARD_CA: ca.sha256.slice(0, 16) };
  const needs = await runOnce(shell, image, signal, { network, onEvent });
  if (!("system" in needs)) return needs;
  const { uv, path } = await uvFile(needs.system);
  signal.throwIfAborted();
  onEvent?.({ type: "line", line: `sending uv to ${shell.name}`, overwrites: false });
  await shell.put(uv, path);
  const done = await runOnce(shell, image, signal, { network, onEvent });
  if (!("system" in done)) return done;
  throw new SkyError(
    "SKY_BOOTSTRAP_FAILED",
    `${shell.name}: the uv that was stored there is not found or does not run`,
  );
}

/** @returns what it came to, or for which system uv is needed */
async function runOnce(
  shell: RemoteShell,
  image: ResolvedImage,
  signal: AbortSignal,
  { network = {}, onEvent }: BootstrapOptions,
): Promise<Bootstrapped | { readonly system: string }> {
  const token = randomBytes(12).toString("hex");
  const report = new Report(token, [
    ...Object.values(image.secrets),
    shell.password ?? "",
    ...Object.values(network).filter((value) => value.includes("@")),
  ]);
  const limit = AbortSignal.timeout(image.bootstrapTimeoutMs);
  const either = AbortSignal.any([signal, limit]);
  signal.throwIfAborted();
  const command = await shell.start(
    bootstrapScript(image).text,
    bootstrapInput(token, { ...network, ...image.secrets }, shell.password),
  );
  let overdue: NodeJS.Timeout | undefined;
  const stopped = new Promise<undefined>((resolve) => {
    const begin = (): void => {
      command.stop();
      overdue = setTimeout(resolve, STOP_WAIT_MS, undefined);
    };
    if (either.aborted) begin();
    else either.addEventListener("abort", begin, { once: true });
  });
  try {
    const decoder = new TextDecoder();
    try {
      const chunks = command.output[Symbol.asyncIterator]();
      // Not to the end of its output, which a service that a step has started may hold.
      while (!report.isOver) {
        const next = await Promise.race([chunks.next(), stopped]);
        if (next === undefined || next.done === true) break;
        for (const event of report.push(decoder.decode(next.value, { stream: true }))) onEvent?.(event);
      }
    } catch {
      // A stream that was cut: the missing exit code tells it.
    }
    const code = report.isOver ? null : ((await Promise.race([command.exit, stopped])) ?? null);
    signal.throwIfAborted();
    if (report.ended) return report.result();
    if (report.needs !== undefined) return { system: report.needs };
    throw report.failure(shell.name, code, limit.aborted ? image.bootstrapTimeoutMs : undefined);
  } finally {
    clearTimeout(overdue);
    command.stop();
    command.leave();
  }
}

/** What was said so far, as far as an error may need it. */
class Report {
  ended = false;
  needs: string | undefined;
  readonly #output: BootstrapOutput;
  /** A command may print what it was given; it goes no further. */
  readonly #hide: (text: string) => string;
  readonly #variables: Record<string, string> = {};
  #lines: string[] = [];
  #phase = "start";
  #command = "";
  #code: number | undefined;
  #did = false;

  constructor(token: string, secrets: readonly string[]) {
    this.#output = new BootstrapOutput(token);
    this.#hide = hiderOf(secrets) ?? ((text) => text);
  }

  /** Whether the script has said its last word. */
  get isOver(): boolean {
    return this.ended || this.needs !== undefined || this.#code !== undefined;
  }

  push(text: string): BootstrapEvent[] {
    return this.#output.push(text).map((event) => this.#note(event));
  }

  result(): Bootstrapped {
    return { variables: this.#variables, skipped: !this.#did };
  }

  failure(machine: string, exit: number | null, limitMs: number | undefined): SkyError {
    const code = this.#code ?? exit;
    const how =
      limitMs !== undefined
        ? `did not end within image.bootstrapTimeout (${limitMs / 1000}s)`
        : code === null
          ? "was cut off"
          : `failed with exit code ${code}`;
    const at = this.#command === "" ? "" : `: ${this.#command}`;
    const lines = this.#lines.length === 0 ? "" : `\n${this.#lines.map((line) => `  ${line}`).join("\n")}`;
    const hint =
      limitMs === undefined
        ? likelyCause(code ?? 0, this.#lines)
        : "Raise image.bootstrapTimeout, or look at what its last lines say.";
    return new SkyError("SKY_BOOTSTRAP_FAILED", `${machine}: phase "${this.#phase}" ${how}${at}${lines}`, {
      ...(hint === undefined ? {} : { hint }),
      retryable: limitMs === undefined && code === null,
      details: { machine, stage: this.#phase, command: this.#command, exitCode: code, lines: this.#lines },
    });
  }

  #note(event: BootstrapEvent): BootstrapEvent {
    switch (event.type) {
      case "phase":
        this.#phase = event.phase;
        this.#command = "";
        this.#lines = [];
        this.#did ||= event.phase !== "environment";
        return event;
      case "failed":
        this.#phase = event.phase;
        this.#code = event.code;
        return event;
      case "command":
        this.#command = this.#hide(event.command);
        return { ...event, command: this.#command };
      case "variable":
        this.#variables[event.name] = event.value;
        return { ...event, value: this.#hide(event.value) };
      case "line": {
        const line = this.#hide(event.line);
        if (event.overwrites) this.#lines.pop();
        this.#lines.push(line);
        if (this.#lines.length > SHOWN_LINES) this.#lines.shift();
        return { ...event, line };
      }
      case "need":
        this.needs = event.system;
        return event;
      case "end":
        this.ended = true;
        return event;
      default:
        return event;
    }
  }
}
