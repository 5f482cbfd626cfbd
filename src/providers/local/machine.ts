import { type ChildProcess, spawn } from "node:child_process";
import { connect as connectSocket } from "node:net";
import type { Duplex } from "node:stream";
import { cleanUp } from "../../agent/clean.ts";
import { type AgentConfig, type NodeConfig, type ProcessIdentity, socketPath } from "../../agent/config.ts";
import { jsonLine } from "../../agent/control.ts";
import { RUN_MARKER, startTimeOf } from "../../agent/process-tree.ts";
import { Tail } from "../../agent/tail.ts";
import { SkyError } from "../../errors/sky-error.ts";
import type { RemoteShell } from "../../image/bootstrap.ts";
import { PROTOCOL_VERSION } from "../../wire/ops.ts";
import { awaitReady } from "../await-ready.ts";
import type { LinkKey, LinkKind, Machine, MachineCommand, MachineProcess } from "../provider.ts";
import { newRunPath } from "./run-path.ts";
import { localProcess } from "./process.ts";
import { localShell } from "./shell.ts";

const END_WAIT_MS = 5000;

/** Of our own environment an agent gets all but what would change how its Node starts. */
const NOT_PASSED = [
  "NODE_OPTIONS",
  "NODE_CHANNEL_FD",
  "NODE_CHANNEL_SERIALIZATION_MODE",
  "NODE_UNIQUE_ID",
  "NODE_V8_COVERAGE",
];

let self: ProcessIdentity | undefined;

/** An agent that is a child of this process. Its stdin, which we hold open, is its lifeline. */
export class LocalMachine implements Machine {
  readonly name: string;
  readonly host = "localhost";
  readonly address = "127.0.0.1";
  readonly #agent: string;
  readonly #onPhase: ((phase: string) => void) | undefined;
  readonly #dir = newRunPath();
  readonly #stderr = new Tail();
  #child: ChildProcess | undefined;
  #identity: ProcessIdentity | undefined;
  #released: Promise<void> | undefined;

  constructor(rank: number, agent: string, onPhase?: (phase: string) => void) {
    this.name = `local-${rank}`;
    this.#agent = agent;
    this.#onPhase = onPhase;
  }

  async shell(): Promise<RemoteShell> {
    return localShell(this.name);
  }

  async spawn(command: MachineCommand): Promise<MachineProcess> {
    return localProcess(command, this.#agent, this.#dir);
  }

  async start(config: NodeConfig, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#onPhase?.("start agent");
    self ??= { pid: process.pid, startTime: startTimeOf(process.pid) ?? "" };
    const whole: AgentConfig = { ...config, dir: this.#dir, parent: self, orphanGraceMs: 0 };
    const env = { ...process.env };
    for (const name of NOT_PASSED) delete env[name];
    env[RUN_MARKER] = this.#dir;
    const child = spawn(process.execPath, [this.#agent, "supervisor"], { detached: true, stdio: "pipe", env });
    this.#child = child;
    if (child.pid !== undefined) this.#identity = { pid: child.pid, startTime: startTimeOf(child.pid) ?? "" };
    child.stderr.on("data", (chunk: Buffer) => this.#stderr.push(chunk));
    // It may be gone before it has read its configuration; awaitReady says why.
    child.stdin.on("error", () => undefined);
    child.stdin.write(`${JSON.stringify(whole)}\n`);
    try {
      await awaitReady({ output: child.stdout, stderr: this.#stderr, ended: child, name: this.name, signal });
    } catch (error) {
      await this.release();
      throw error;
    }
    // The program may end although its agents run: they follow.
    child.unref();
    for (const pipe of [child.stdin, child.stdout, child.stderr]) (pipe as unknown as { unref(): void }).unref();
  }

  async connect(kind: LinkKind, key: LinkKey, signal: AbortSignal): Promise<Duplex> {
    signal.throwIfAborted();
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) throw this.#gone();
    return new Promise<Duplex>((resolve, reject) => {
      const socket = connectSocket(socketPath(this.#dir));
      const abort = (): void => void socket.destroy(signal.reason as Error);
      const failed = (cause: Error): void => {
        signal.removeEventListener("abort", abort);
        reject(signal.aborted ? (signal.reason as Error) : this.#gone(cause));
      };
      signal.addEventListener("abort", abort, { once: true });
      socket.once("error", failed).once("connect", () => {
        signal.removeEventListener("abort", abort);
        // A broken link shows as its close; nobody has to listen for the error too.
        socket.off("error", failed).on("error", () => undefined);
        socket.write(jsonLine({ v: PROTOCOL_VERSION, ...key, kind }));
        resolve(socket);
      });
    });
  }

  release(): Promise<void> {
    this.#released ??= this.#end();
    return this.#released;
  }

  async #end(): Promise<void> {
    // What it started may outlive a supervisor that was killed, so this runs in any case.
    if (this.#child !== undefined) await cleanUp(this.#identity, this.#dir, END_WAIT_MS);
    for (const pipe of [this.#child?.stdin, this.#child?.stdout, this.#child?.stderr]) pipe?.destroy();
  }

  #gone(cause?: unknown): SkyError {
    const { exitCode = null, signalCode = null } = this.#child ?? {};
    const ended =
      exitCode === null && signalCode === null ? "does not answer" : `ended (${signalCode ?? `code ${exitCode}`})`;
    const words = this.#stderr.toString().trim();
    return new SkyError("SKY_LINK_LOST", `the agent of ${this.name} ${ended}${words === "" ? "" : `:\n${words}`}`, {
      cause,
      details: { machine: this.name },
    });
  }
}
