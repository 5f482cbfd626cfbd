import { randomBytes } from "node:crypto";
import type { Duplex } from "node:stream";
import { ATTACHED } from "../../agent/attached.ts";
import { type AgentConfig, type NodeConfig, type ProcessIdentity, socketPath, workDir } from "../../agent/config.ts";
import { jsonLine } from "../../agent/control.ts";
import { Tail } from "../../agent/tail.ts";
import { SkyError } from "../../errors/sky-error.ts";
import type { RemoteShell } from "../../image/bootstrap.ts";
import { ANY_NODE, type NodeChoice } from "../../image/node-choice.ts";
import type { SshConnection } from "../../ssh/connection.ts";
import { remoteCommand, remoteScript } from "../../ssh/remote-process.ts";
import { remoteShell } from "../../ssh/remote-shell.ts";
import { SessionStream } from "../../ssh/session-stream.ts";
import { quote } from "../../image/quote.ts";
import { scriptCommand } from "../../ssh/shell.ts";
import { PROTOCOL_VERSION } from "../../wire/ops.ts";
import { awaitReady } from "../await-ready.ts";
import type { KeptMachine, LinkKey, LinkKind, Machine, MachineCommand, MachineProcess } from "../provider.ts";
import { awaitAttached } from "./await-attached.ts";
import type { SshHost } from "./host.ts";
import { keyFor, type KeptAgent, likenessOf } from "./kept-agent.ts";
import { MARK, startScript } from "./start-script.ts";

/** How long an agent outlives a connection that broke. */
const ORPHAN_GRACE_MS = 15_000;
const END_WAIT_MS = 5000;
const RELEASE_LIMIT_MS = 12_000;
/** One try to make a broken connection anew; who wants it decides whether there is another. */
const REOPEN_LIMIT_MS = 8000;
/** sshd's answer where a socket exists no more, or nobody listens on it (RFC 4254, 5.1). */
const CONNECT_FAILED = 2;
/** First contact finds nothing, the second one what was sent. */
const ROUNDS = 3;

/** What the start script found and started. */
interface Started {
  readonly node: string;
  readonly agent: string;
  readonly supervisor: ProcessIdentity;
}

export interface SshMachineOptions {
  readonly onPhase?: ((phase: string) => void) | undefined;
  /** How long the agent outlives its controller's silence, where the machine ends with it. @default borrowed */
  readonly leaseMs?: number;
  /** Where the machine looks for the time of its end. */
  readonly leaseFile?: string;
  /** An agent that an earlier run has left there. */
  readonly kept?: KeptAgent | undefined;
}

/** An agent on a machine that is reached by SSH, on a connection of its own. */
export class SshMachine implements Machine {
  readonly name: string;
  readonly host: string;
  readonly address: string;
  readonly #via: SshHost;
  readonly #options: SshMachineOptions;
  #dir = `/tmp/sky-${randomBytes(8).toString("hex")}`;
  #connection: SshConnection;
  #opening: Promise<void> | undefined;
  /** A second connection, for large values: on the first one they would stand in front of all else. */
  #bulk: SshConnection | undefined;
  #started: Started | undefined;
  /** What the agent's configuration was, so that a later run can tell whether it is the one it needs. */
  #likeness = "";
  /** What links show to an agent that was started by another run. */
  #kept: KeptAgent | undefined;
  #released: Promise<void> | undefined;
  readonly #gone = new AbortController();

  constructor(via: SshHost, connection: SshConnection, options: SshMachineOptions = {}) {
    this.#via = via;
    this.name = via.name;
    this.host = via.options.target.host;
    this.address = this.host;
    this.#connection = connection;
    this.#options = options;
  }

  get workDir(): string {
    return workDir(this.#dir);
  }

  async shell(signal: AbortSignal): Promise<RemoteShell> {
    const password = this.#via.options.identities.find((one) => one.type === "password")?.password;
    return remoteShell(await this.#reach(signal), password);
  }

  async spawn(command: MachineCommand, signal: AbortSignal): Promise<MachineProcess> {
    const connection = await this.#reach(signal);
    if ("script" in command) return remoteScript(connection, command, this.#dir);
    const started = this.#started;
    if (started === undefined) throw new SkyError("SKY_LINK_LOST", `the agent of ${this.name} was not started`);
    const words = [started.node, started.agent, ...command.agent].map(quote).join(" ");
    return remoteCommand(connection, `exec ${words}`);
  }

  /** Puts the machine's end off, while no agent does. */
  async renewLease(signal: AbortSignal): Promise<void> {
    const { leaseMs = 0, leaseFile } = this.#options;
    if (leaseFile === undefined) return;
    const seconds = Math.ceil(leaseMs / 1000);
    const connection = await this.#reach(signal);
    const script = `read -r up _ </proc/uptime && echo $((\${up%%.*} + ${seconds})) >${quote(leaseFile)}\n`;
    await connection.run(scriptCommand(script), script);
  }

  /** @param supplied called when what the agent needs has been sent, before it is started */
  async start(
    config: NodeConfig,
    signal: AbortSignal,
    node: NodeChoice = ANY_NODE,
    supplied?: () => void,
  ): Promise<void> {
    const { leaseMs = ORPHAN_GRACE_MS, leaseFile } = this.#options;
    const lease = leaseFile === undefined ? {} : { leaseFile };
    const whole: AgentConfig = { ...config, dir: this.#dir, parent: null, orphanGraceMs: leaseMs, ...lease };
    this.#likeness = likenessOf(whole, [this.#via.agent.file.sha256, node.version, [...node.releases]]);
    try {
      if (await this.#takeUp(signal)) return;
      for (let round = 1; round <= ROUNDS; round++) {
        if (await this.#tryStart(whole, node, signal)) return;
        supplied?.();
      }
      throw new SkyError("SKY_AGENT_FAILED", `${this.name}: what was stored in ~/.cache/skyward is not found there`);
    } catch (error) {
      await this.release();
      throw error;
    }
  }

  async connect(kind: LinkKind, key: LinkKey, signal: AbortSignal): Promise<Duplex> {
    const started = this.#started;
    if (started === undefined || this.#released !== undefined) {
      throw new SkyError("SKY_LINK_LOST", `the agent of ${this.name} was not started, or was released`);
    }
    const connection = kind === "bulk" ? await this.#reachBulk(signal) : await this.#reach(signal);
    const hello = jsonLine({ v: PROTOCOL_VERSION, ...this.#keyOf(key), kind });
    const socket = this.#via.socketsOpen === false ? undefined : await this.#socket(connection);
    if (socket !== undefined) {
      socket.write(hello);
      return socket;
    }
    signal.throwIfAborted();
    const command = [started.node, started.agent, "attach", kind, this.#dir].map(quote).join(" ");
    const channel = await connection.exec(`exec ${command}`);
    const stderr = new Tail();
    channel.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
    const stream = new SessionStream(channel);
    stream.write(hello);
    await awaitAttached({ stream, stderr, line: ATTACHED, name: this.name, signal });
    return stream;
  }

  /**
   * The agent's own socket; undefined where sshd opens none.
   * @throws SkyError SKY_LINK_LOST, retryable if the agent is there
   */
  async #socket(connection: SshConnection): Promise<Duplex | undefined> {
    try {
      const channel = await connection.unixSocket(socketPath(this.#dir));
      this.#via.socketsOpen = true;
      return new SessionStream(channel);
    } catch (cause) {
      this.#via.socketsOpen ??= false;
      if (!this.#via.socketsOpen) return undefined;
      // It opened the agent's socket before: when nobody listens there any more, no further word is needed.
      const lives =
        (cause as { reason?: unknown }).reason !== CONNECT_FAILED &&
        (await isThere(connection, this.#dir, this.#started!.supervisor)) !== false;
      const message = `${this.name}: ${lives ? `no link: ${(cause as Error).message}` : "the agent has ended"}`;
      throw new SkyError("SKY_LINK_LOST", message, { cause, retryable: lives, details: { machine: this.name } });
    }
  }

  release(): Promise<void> {
    this.#released ??= this.#end();
    return this.#released;
  }

  /** The machine is no more: a release that still tries to reach it is over. */
  abandon(): void {
    this.#gone.abort();
  }

  async keep(rank: number, key: LinkKey): Promise<KeptMachine> {
    const started = this.#started;
    if (started === undefined) throw new SkyError("SKY_LINK_LOST", `the agent of ${this.name} was not started`);
    this.#released ??= Promise.resolve();
    this.#bulk?.destroy();
    this.#connection.close();
    const agent: KeptAgent = { ...started, ...this.#keyOf(key), dir: this.#dir, likeness: this.#likeness };
    return { name: this.name, provider: "ssh", rank, data: { agent } };
  }

  #keyOf(key: LinkKey): LinkKey {
    return this.#kept ? keyFor(this.#kept, key) : key;
  }

  /** Goes on with the agent that an earlier run has left. One that is not as it has to be ends. */
  async #takeUp(signal: AbortSignal): Promise<boolean> {
    const { kept, onPhase } = this.#options;
    if (kept === undefined) return false;
    const connection = await this.#reach(signal);
    const { dir, node, agent, supervisor } = kept;
    if (kept.likeness !== this.#likeness) {
      onPhase?.("start another agent: its options are others");
      const words = [node, agent, "clean", String(supervisor.pid), supervisor.startTime, dir, String(END_WAIT_MS)];
      await connection.run(`exec ${words.map(quote).join(" ")}`).catch(() => undefined);
      return false;
    }
    if ((await isThere(connection, dir, supervisor)) !== true) return false;
    onPhase?.("adopt agent");
    this.#dir = dir;
    this.#started = { node, agent, supervisor };
    this.#kept = kept;
    return true;
  }

  /** @returns whether the agent runs; if not, what it needs has been sent */
  async #tryStart(config: AgentConfig, node: NodeChoice, signal: AbortSignal): Promise<boolean> {
    const connection = await this.#reach(signal);
    this.#options.onPhase?.("start agent");
    const asked = performance.now();
    const script = startScript({ agent: this.#via.agent.file, node, ca: this.#via.ca, dir: this.#dir });
    const channel = await connection.exec(scriptCommand(script));
    const stderr = new Tail();
    channel.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
    channel.on("error", () => undefined);
    channel.write(`${script}${JSON.stringify(config)}\n`);
    const said = new Map<string, string>();
    const line = (text: string): boolean => {
      // What a login shell prints may have no line's end.
      const match = new RegExp(`${MARK} (\\w+) (.*)$`).exec(text);
      if (match !== null) said.set(match[1]!, match[2]!);
      return match !== null;
    };
    try {
      const supervisor = await awaitReady({ output: channel, stderr, ended: channel, name: this.name, signal, line });
      this.#started = { node: said.get("node") ?? "node", agent: said.get("agent") ?? "", supervisor };
      return true;
    } catch (error) {
      this.#started = startedUnseen(said);
      const need = said.get("need");
      if (signal.aborted || need === undefined) throw error;
      const [system = "", ...needs] = need.split(" ").filter((word) => word !== "");
      await this.#via.supply(connection, system, needs, node, asked, this.#options.onPhase);
      return false;
    } finally {
      channel.end();
    }
  }

  /** The connection, made again if it broke. All links that wait for it wait for the same one. */
  async #reach(signal: AbortSignal): Promise<SshConnection> {
    while (!this.#connection.isOpen) {
      const mine = this.#opening === undefined;
      this.#opening ??= this.#reopen(signal);
      try {
        await this.#opening;
      } catch (error) {
        // Whoever began it may have given up; the others go on.
        if (mine || error instanceof SkyError) throw error;
      }
      signal.throwIfAborted();
    }
    return this.#connection;
  }

  /** Asked for by one caller at a time. */
  async #reachBulk(signal: AbortSignal): Promise<SshConnection> {
    if (this.#bulk?.isOpen) return this.#bulk;
    const opened = await this.#via.connect(signal, false);
    if (this.#released !== undefined) opened.close();
    return (this.#bulk = opened);
  }

  async #reopen(signal: AbortSignal): Promise<void> {
    const limit = AbortSignal.timeout(REOPEN_LIMIT_MS);
    try {
      this.#connection = await this.#via.connect(AbortSignal.any([signal, limit]), true);
    } catch (cause) {
      if (signal.aborted || !limit.aborted) throw cause;
      const message = `${this.name} can't be reached for ${REOPEN_LIMIT_MS / 1000} s`;
      throw new SkyError("SKY_SSH_CONNECT", message, { retryable: true, details: { host: this.name } });
    } finally {
      this.#opening = undefined;
    }
  }

  async #end(): Promise<void> {
    this.#bulk?.destroy();
    const { node, agent, supervisor } = this.#started ?? {};
    const limit = AbortSignal.any([AbortSignal.timeout(RELEASE_LIMIT_MS), this.#gone.signal]);
    let connection: SshConnection | undefined;
    const cut = (): void => connection?.destroy();
    limit.addEventListener("abort", cut);
    try {
      connection = await this.#reach(limit);
      if (node === undefined || agent === undefined) return;
      const { pid = 0, startTime = "" } = supervisor ?? {};
      const words = [node, agent, "clean", String(pid), startTime, this.#dir, String(END_WAIT_MS)];
      await connection.run(`exec ${words.map(quote).join(" ")}`);
    } catch {
      // Out of reach: the agent ends by itself, as it does when its controller dies.
    } finally {
      limit.removeEventListener("abort", cut);
      connection?.close();
    }
  }
}

/** An agent may have been started although its answer never came. */
function startedUnseen(said: ReadonlyMap<string, string>): Started | undefined {
  const [node, agent] = [said.get("node"), said.get("agent")];
  return node === undefined || agent === undefined ? undefined : { node, agent, supervisor: { pid: 0, startTime: "" } };
}

/** Undefined when the connection broke over the question. */
async function isThere(connection: SshConnection, dir: string, { pid }: ProcessIdentity): Promise<boolean | undefined> {
  const script = `[ -S ${quote(socketPath(dir))} ] && kill -0 ${pid}\n`;
  const { code } = await connection.run(scriptCommand(script), script);
  return code === null ? undefined : code === 0;
}
