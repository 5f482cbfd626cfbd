import { randomBytes, randomUUID } from "node:crypto";
import type { Place } from "../access/exec.ts";
import { AGENT_VERSION } from "../../agent/config.ts";
import { SkyError } from "../../errors/sky-error.ts";
import type { Code } from "../../function/capture/code.ts";
import type { Bind } from "../dispatch/bind.ts";
import type { Dispatcher } from "../dispatch/dispatcher.ts";
import { proxiesOf } from "../../image/network.ts";
import { ANY_NODE, type NodeChoice } from "../../image/node-choice.ts";
import type { KeptMachine } from "../../providers/provider.ts";
import { leave, type TakenUp, takeUp } from "../keep/keeping.ts";
import { messageOf } from "../message-of.ts";
import type { PoolSpec } from "../spec.ts";
import { Node, type NodeState } from "./node.ts";
import type { NodeNews } from "./node-news.ts";
import { SyncIncludes } from "./sync-includes.ts";
import { logOf, withLog } from "./with-log.ts";
import { placeOf } from "./topology.ts";

const COMING: ReadonlySet<NodeState> = new Set(["provisioning", "connecting", "preparing"]);
/** Tries to bring up a node's machine again after it was lost, before the rank is given up. */
const REPLACE_TRIES = 3;

export interface NodesOptions {
  readonly spec: PoolSpec;
  /** A file of this program's that a local node removes when the program is killed. */
  readonly leftover: string;
  readonly dispatcher: Dispatcher;
  readonly emit: (event: NodeNews) => void;
  /** A node has failed: what it said goes to a file. @returns its path, where it could be written */
  readonly keepLog: (node: number, machine: string | undefined, reason: string) => string | undefined;
  readonly onProgress: (node: number, task: number, done: number, of: number | null) => void;
}

/** The nodes of a pool: brings them up together, puts others in the place of lost ones, and tells each of all. */
export class Nodes {
  readonly #options: NodesOptions;
  readonly #nodes = new Map<number, Node>();
  readonly #jobId = randomUUID();
  readonly #token = randomBytes(32).toString("hex");
  readonly #epoch = Date.now();
  readonly #includes: SyncIncludes;
  #codes: readonly Code[] = [];
  #choice: NodeChoice = ANY_NODE;
  #closing = false;

  constructor(options: NodesOptions) {
    this.#options = options;
    this.#includes = new SyncIncludes(options.spec.image);
  }

  /** Nodes that are ready now. */
  get ready(): number {
    let ready = 0;
    for (const node of this.#nodes.values()) if (node.state === "ready") ready++;
    return ready;
  }

  isReady(rank: number): boolean {
    return this.#nodes.get(rank)?.state === "ready";
  }

  /** The machine of a rank and its tasks' environment; undefined while it is not ready. */
  placeOf(rank: number): Omit<Place, "closed"> | undefined {
    const node = this.#nodes.get(rank);
    if (node?.state !== "ready" || node.machine === undefined) return undefined;
    return { node: rank, machine: node.machine, env: node.env };
  }

  [Symbol.iterator](): Iterator<Node> {
    return this.#nodes.values();
  }

  /** This program has stood still for so long that its nodes may have gone: they are asked before they get work. */
  askAgain(ms: number): void {
    const reason = `this program stood still for ${Math.round(ms / 1000)} s`;
    for (const node of this.#nodes.values()) node.askAgain(reason);
  }

  /** Starts all nodes at once, each with these codes in place; resolves when enough are ready, rejects when that can't happen any more. */
  async open(codes: readonly Code[], node: NodeChoice): Promise<void> {
    this.#codes = codes;
    this.#choice = node;
    const { min, desired, provider } = this.#options.spec;
    if (provider.warning !== undefined)
      this.#options.emit({ type: "Error.Occurred", message: provider.warning, fatal: false });
    let left = desired;
    let ready = 0;
    const kept = await takeUp(this.#options.spec, this.#options.emit);
    await new Promise<void>((resolve, reject) => {
      for (let rank = 0; rank < desired; rank++) {
        this.#begin(rank, kept.get(rank)).then(
          () => {
            left--;
            if (++ready === min) resolve();
          },
          (error: unknown) => {
            left--;
            if (ready + left < min) reject(error);
            else if (!this.#closing) this.#replaceLater(this.#nodes.get(rank)!, messageOf(error));
          },
        );
      }
    });
  }

  /** @param keeps leave the machines for the next run, if the pool was asked to */
  async close(keeps: boolean): Promise<void> {
    this.#closing = true;
    const { keepMs, name } = this.#options.spec;
    const untilMs = Date.now() + keepMs;
    const ending = [...this.#nodes.values()].map((node) =>
      keeps && keepMs > 0 ? node.keep(untilMs) : node.close().then(() => undefined),
    );
    const kept: KeptMachine[] = [];
    for (const ended of await Promise.allSettled(ending)) {
      if (ended.status === "fulfilled") {
        if (ended.value) kept.push(ended.value);
        continue;
      }
      const message = `a node was not left in order: ${messageOf(ended.reason)}`;
      this.#options.emit({ type: "Error.Occurred", message, fatal: false });
    }
    await leave(name, untilMs, kept, this.#options.emit);
    await this.#options.spec.provider.close?.().catch((error: unknown) => {
      const message = `${this.#options.spec.provider.name} was not left in order: ${messageOf(error)}`;
      this.#options.emit({ type: "Error.Occurred", message, fatal: false });
    });
  }

  /** With the machine that was kept for it, or another one where that can't be. */
  async #begin(rank: number, kept: TakenUp | undefined): Promise<void> {
    if (kept === undefined) return this.#start(rank);
    try {
      await this.#start(rank, kept);
    } catch (error) {
      if (this.#closing) throw error;
      const message = `node ${rank} can't go on with ${kept.machine.name}, which was kept: ${messageOf(error)}`;
      this.#options.emit({ type: "Error.Occurred", message, fatal: false, node: rank });
      await this.#nodes.get(rank)?.close();
      await this.#start(rank);
    }
  }

  #start(rank: number, kept?: TakenUp): Promise<void> {
    const { spec, leftover, dispatcher, emit, onProgress, keepLog } = this.#options;
    const { provider, name, concurrency, executor, reuseProcesses, killGraceMs, image } = spec;
    const network = provider.atHome === true ? {} : proxiesOf(process.env);
    const env = { ...network, ...image.env, ...image.secrets, ...spec.env };
    const [token, epoch] = [this.#token, this.#epoch];
    const node = new Node({
      rank,
      pool: name,
      provider,
      config: {
        version: AGENT_VERSION,
        token,
        epoch,
        concurrency,
        executor,
        reuseProcesses,
        killGraceMs,
        env,
        metrics: image.metrics,
        leftover,
      },
      image,
      choice: this.#choice,
      includes: this.#includes,
      kept,
      codes: this.#codes,
      dispatcher,
      shows: (bind, stream) => this.#shows(rank, bind, stream),
      emit,
      onReady: () => this.#publish(),
      onLost: (lost, reason) => this.#replaceLater(lost, reason),
      keepLog: ({ machine }, reason) => keepLog(rank, machine?.name, reason),
      onProgress: (task, done, of) => onProgress(rank, task, done, of),
    });
    this.#nodes.set(rank, node);
    return node.start().catch((error: unknown) => {
      // When the pool closes, what had not come up is stopped: that is no failure.
      if (this.#closing || node.state === "lost") throw error;
      throw withLog(error, keepLog(rank, node.machine?.name, messageOf(error)));
    });
  }

  #replaceLater(lost: Node, reason: string): void {
    this.#replace(lost, reason).catch((error: unknown) => {
      const message = `node ${lost.rank}: ${messageOf(error)}`;
      this.#options.emit({ type: "Error.Occurred", message, fatal: false, node: lost.rank });
    });
  }

  async #replace(lost: Node, reason: string): Promise<void> {
    const { emit } = this.#options;
    const { rank } = lost;
    const previous = lost.machine?.name ?? "";
    await lost.close();
    for (let attempt = 1; attempt <= REPLACE_TRIES && !this.#closing; attempt++) {
      try {
        await this.#start(rank);
        emit({ type: "Node.Replaced", node: rank, previous, machine: this.#nodes.get(rank)?.machine?.name ?? "" });
        return;
      } catch (error) {
        const code = error instanceof SkyError ? error.code : "SKY_POOL_FAILED";
        const log = logOf(error);
        emit({ type: "Node.WorkerFailed", node: rank, error: messageOf(error), code, ...(log && { log }) });
        await this.#nodes.get(rank)?.close();
      }
    }
    if (!this.#closing) this.#giveUp(rank, reason);
  }

  /** The rank will not come back; without any other node the pool is at its end. */
  #giveUp(rank: number, reason: string): void {
    const { dispatcher, emit } = this.#options;
    const others = [...this.#nodes.values()].some(
      (node) => node.rank !== rank && node.state !== "lost" && node.state !== "closed",
    );
    const what = others ? `node ${rank} is lost and could not` : "no node is left, and none could";
    const failed = new SkyError("SKY_POOL_FAILED", `${what} be made anew: ${reason}`);
    emit({ type: "Error.Occurred", message: failed.message, fatal: !others, code: failed.code });
    if (others) dispatcher.abandon(rank, failed);
    else dispatcher.close(failed);
  }

  /** Tells every node how the pool looks now. */
  #publish(): void {
    const nodes = [...this.#nodes.values()].sort((a, b) => a.rank - b.rank);
    const { desired } = this.#options.spec;
    // Until then executors start with their first function: nodes that share cores with others come up first.
    const complete = nodes.length === desired && nodes.every(({ state }) => !COMING.has(state));
    for (const node of nodes) node.topology({ ...placeOf(node, nodes, desired, this.#jobId), complete });
  }

  /** Whether a function's lines should leave the node. */
  #shows(rank: number, bind: Bind, stream: "stdout" | "stderr"): boolean {
    const rule = bind.rule(stream);
    if (rule === undefined) return true;
    if (rule === false) return false;
    if (rule === "head") return rank === 0;
    try {
      return rule({ node: rank, worker: 0, isHead: rank === 0, totalNodes: this.#options.spec.desired });
    } catch (error) {
      const message = `the output rule of ${bind.name} threw, so its lines are shown: ${messageOf(error)}`;
      this.#options.emit({ type: "Error.Occurred", message, fatal: false });
      return true;
    }
  }
}
