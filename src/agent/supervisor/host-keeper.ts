import { type ChildProcess, fork, type SendHandle } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { type AgentConfig, workDir } from "../config.ts";
import type { HostDeath, HostReady, NodeLine } from "../control.ts";
import type { ToHost, ToSupervisorFromHost } from "../host-channel.ts";
import { withHugePages } from "../huge-pages.ts";
import { hasLeft } from "../left-behind.ts";
import { PrintedLines } from "../printed-lines.ts";
import { memoryKills } from "./memory-kills.ts";
import { killTree, RUN_MARKER, type Tree } from "../process-tree.ts";
import { Tail } from "../tail.ts";

/** This many deaths within the window slow the next start down. */
const DEATHS = 3;
const DEATHS_WINDOW_MS = 10_000;
const BACKOFF_MS = 1000;
/** How long the last words of a dead host may take, when a child of it holds the pipe. */
const LAST_WORDS_MS = 50;
/** What an orderly end gives the host to dispose of things. */
const END_GRACE_MS = 1000;

export interface HostKeeperOptions {
  readonly config: AgentConfig;
  /** Program and arguments of a host; forked with an IPC channel. */
  readonly hostCommand: readonly [file: string, ...args: string[]];
  /** All processes of this node but the supervisor. */
  readonly tree: Tree;
  readonly ready: (state: HostReady) => void;
  readonly dead: (death: HostDeath) => void;
  readonly said: (message: Exclude<ToSupervisorFromHost, { type: "ready" }>) => void;
  readonly printed: (line: NodeLine) => void;
}

/** Keeps one host running: a dead one is reported with its last words and replaced, its children are ended first. */
export class HostKeeper {
  readonly #options: HostKeeperOptions;
  #child: ChildProcess | undefined;
  #state: HostReady | undefined;
  #lastDeath: HostDeath | undefined;
  #generation = 0;
  #deaths: number[] = [];
  /** How many processes had been killed for want of memory when the host was started. */
  #memoryKills: number | undefined;
  /** A host that ends now was told to. */
  #stopping = false;
  #over = false;

  constructor(options: HostKeeperOptions) {
    this.#options = options;
  }

  /** The host that takes links, if there is one now. */
  get state(): HostReady | undefined {
    return this.#state;
  }

  get lastDeath(): HostDeath | undefined {
    return this.#lastDeath;
  }

  start(): void {
    const { config, hostCommand, said } = this.#options;
    const generation = ++this.#generation;
    this.#memoryKills = memoryKills();
    const [file, ...args] = hostCommand;
    const child = fork(file, args, {
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      env: withHugePages({ ...process.env, ...config.env, [RUN_MARKER]: config.dir }),
      execArgv: [],
      // On the program's own machine tasks run where it does.
      ...(config.parent === null ? { cwd: workDir(config.dir) } : {}),
    });
    this.#child = child;
    const { token: _, ...hostConfig } = config;
    this.send({ type: "config", config: hostConfig, generation });
    child.on("message", (message: ToSupervisorFromHost) => {
      if (this.#child !== child || this.#stopping) return;
      if (message.type !== "ready") return said(message);
      this.#state = { type: "host", generation, state: "ready", pid: child.pid!, place: message.place };
      this.#options.ready(this.#state);
    });
    const stderr = new Tail();
    for (const stream of ["stdout", "stderr"] as const) {
      const lines = new PrintedLines((line) => this.#options.printed({ type: "log", level: "info", stream, line }));
      child[stream]!.on("data", (chunk: Buffer) => {
        if (stream === "stderr") stderr.push(chunk);
        lines.push(chunk);
      }).on("end", () => lines.end());
    }
    // A host that can't be started at all has no exit.
    child.once("error", (error) => {
      if (child.pid !== undefined) return;
      stderr.push(Buffer.from(String(error)));
      void this.#died(generation, null, null, stderr);
    });
    child.once("exit", (code, signal) => {
      if (this.#child === child) this.#state = undefined;
      const closed = once(child, "close");
      void Promise.race([closed, delay(LAST_WORDS_MS)]).then(() => this.#died(generation, code, signal, stderr));
    });
  }

  /** Drops the message when there is no host to read it: what it is about ended with the host. */
  send(message: ToHost, handle?: SendHandle): void {
    if (this.#child?.connected !== true) return;
    this.#child.send(message, handle, {}, () => undefined);
  }

  /** Ends the host and all its processes. `why`: for the tasks that run, where it is orderly. */
  async stop(orderly: boolean, why: string): Promise<void> {
    this.#over = true;
    await this.#stop(orderly, why);
  }

  /** Ends the host with all that it runs, and starts another one. */
  async renew(): Promise<void> {
    await this.#stop(true, "the pool was closed");
    if (this.#over) return;
    this.#lastDeath = undefined;
    this.#stopping = false;
    this.start();
  }

  async #stop(orderly: boolean, why: string): Promise<void> {
    this.#stopping = true;
    this.#state = undefined;
    const child = this.#child;
    if (orderly && child !== undefined && child.exitCode === null && child.signalCode === null) {
      const exited = once(child, "exit");
      this.send({ type: "end", why });
      await Promise.race([exited, delay(END_GRACE_MS)]);
    }
    await killTree({ ...this.#options.tree, commands: this.#options.config.dir });
  }

  async #died(generation: number, code: number | null, signal: NodeJS.Signals | null, stderr: Tail): Promise<void> {
    if (this.#stopping || generation !== this.#generation) return;
    const left = hasLeft(this.#options.config.dir) ? ({ left: true } as const) : {};
    const starved = signal === "SIGKILL" && (memoryKills() ?? 0) > (this.#memoryKills ?? 0);
    const memory = starved ? ({ outOfMemory: true } as const) : {};
    const how = { code, signal, stderr: stderr.toString(), ...memory, ...left };
    this.#lastDeath = { type: "host", generation, state: "dead", ...how };
    this.#options.dead(this.#lastDeath);
    await killTree(this.#options.tree);
    const now = performance.now();
    this.#deaths = [...this.#deaths.filter((time) => now - time < DEATHS_WINDOW_MS), now];
    if (this.#deaths.length >= DEATHS) await delay(BACKOFF_MS);
    if (!this.#stopping) this.start();
  }
}
