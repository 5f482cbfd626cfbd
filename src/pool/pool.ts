import { randomBytes, randomUUID } from "node:crypto";
import { SkyError } from "../errors/sky-error.ts";
import { EventBus } from "../events/bus.ts";
import type { SkyEvent } from "../events/event.ts";
import { projectPool } from "../events/projection.ts";
import { emptyPool, type PoolView } from "../events/views.ts";
import type { Fn } from "../function/fn.ts";
import { type Group, isGroup } from "../function/group.ts";
import type { Pending } from "../function/pending.ts";
import type { ResultOf } from "../function/stream.ts";
import { AGENT_VERSION } from "../agent/config.ts";
import type { SessionCounters } from "../wire/session.ts";
import type { Batch } from "./batch.ts";
import { type BroadcastOptions, type CallOptions, checkOptions, targetRank } from "./call-options.ts";
import { Calls } from "./calls.ts";
import type { Bind } from "./dispatch/bind.ts";
import { Dispatcher } from "./dispatch/dispatcher.ts";
import { guard } from "./exit.ts";
import { Node, type NodeNews } from "./node/node.ts";
import { Progress } from "./progress.ts";
import type { PoolSpec } from "./spec.ts";
import type { Task } from "./task.ts";
import { placeOf } from "./topology.ts";
import { Unobserved } from "./unobserved.ts";

/** Tries to bring up a node's machine again after it was lost, before the rank is given up. */
const REPLACE_TRIES = 3;

type Items<T> = Iterable<T> | AsyncIterable<T>;

/** A set of nodes with one life. Opened by `sky.compute`; leaving the scope closes it. */
export class Pool implements AsyncDisposable {
  readonly name: string;
  readonly #spec: PoolSpec;
  readonly #bus = new EventBus();
  readonly #nodes = new Map<number, Node>();
  readonly #dispatcher: Dispatcher;
  readonly #calls: Calls;
  readonly #unobserved = new Unobserved();
  readonly #progress: Progress;
  readonly #jobId = randomUUID();
  readonly #began = performance.now();
  readonly #token = randomBytes(32).toString("hex");
  readonly #epoch = Date.now();
  readonly #release: () => void;
  readonly #console: Disposable | undefined;
  #view: PoolView;
  #closing: Promise<void> | undefined;
  #keepAlive: NodeJS.Timeout | undefined;

  /** @internal Use `sky.compute`. */
  constructor(spec: PoolSpec, attachConsole: (bus: EventBus, mode: PoolSpec["console"]) => Disposable) {
    this.name = spec.name;
    this.#spec = spec;
    this.#view = emptyPool(spec.name, Date.now());
    this.#bus.subscribe((event) => (this.#view = projectPool(this.#view, event)), {
      only: ["Pool", "Node", "Tasks", "Scaling", "Error"],
    });
    this.#console = attachConsole(this.#bus, spec.console);
    this.#progress = new Progress(this.#bus, spec.name);
    this.#dispatcher = new Dispatcher({
      defaultLimitMs: spec.defaultLimitMs,
      retryOnInterruption: spec.retryOnInterruption,
      events: this.#progress,
      now: () => performance.now() - this.#began,
    });
    this.#progress.watch(this.#dispatcher);
    this.#calls = new Calls(this.#dispatcher, this.#unobserved);
    this.#release = guard(this);
    // An open pool keeps the program alive, whatever its nodes do.
    this.#keepAlive = setInterval(() => {}, 1 << 30);
  }

  /** Whether the pool is closed or closing. */
  get closed(): boolean {
    return this.#closing !== undefined;
  }

  /** Nodes that are ready now. */
  get nodes(): number {
    let ready = 0;
    for (const node of this.#nodes.values()) if (node.state === "ready") ready++;
    return ready;
  }

  /** Everything that happens from now on, until the pool is closed. */
  get events(): AsyncIterable<SkyEvent> {
    return this.#bus;
  }

  /** The pool as the events so far draw it. */
  snapshot(): PoolView {
    this.#progress.flush();
    return this.#view;
  }

  /** Why tasks wait, in words; undefined when none does. */
  explain(): string | undefined {
    return this.#dispatcher.scheduler.explain();
  }

  /** Bytes, frames and writes on each node's data link so far, by rank. */
  stats(): readonly (SessionCounters & { readonly node: number })[] {
    return [...this.#nodes.values()].map((node) => ({ node: node.rank, ...node.counters }));
  }

  /**
   * Runs a call on one node, or a group of calls on as many as there are.
   *
   * ```ts
   * const one = await pool.run(train(0.1));
   * const [a, b] = await pool.run(sky.gather(train(0.1), evaluate("x")));
   * ```
   *
   * The task or batch fails with SKY_BAD_TARGET, SKY_BAD_OPTION, SKY_POOL_CLOSED, SKY_CAPTURE_*, SKY_VALUE_*,
   * SKY_TASK_TIMEOUT, SKY_QUEUE_TIMEOUT, SKY_TASK_CANCELLED, SKY_TASK_LOST, or what the function threw.
   */
  run<R extends readonly unknown[]>(group: Group<R>, options?: CallOptions): Batch<R[number], R>;
  run<R>(pending: Pending<R>, options?: CallOptions): Task<R>;
  run(given: Pending<unknown> | Group<readonly unknown[]>, options: CallOptions = {}): Task<unknown> | Batch<unknown> {
    try {
      checkOptions("pool.run", options, ["target", "signal"]);
      const target = targetRank(options.target, this.#spec.desired);
      return isGroup(given)
        ? this.#calls.group(given, target, options.signal)
        : this.#calls.run(given as Pending<unknown>, target, options.signal);
    } catch (error) {
      return isGroup(given) ? this.#calls.refusedBatch(error) : this.#calls.refused(error);
    }
  }

  /**
   * Runs a call on every node; results by rank. Nodes that are not ready yet take part unless `only: "ready"`.
   * One failure throws a `BroadcastError` with all results.
   */
  broadcast<R>(pending: Pending<R>, options: BroadcastOptions = {}): Batch<R> {
    try {
      checkOptions("pool.broadcast", options, ["only", "signal"]);
      const all = Array.from({ length: this.#spec.desired }, (_, rank) => rank);
      const ranks = options.only === "ready" ? all.filter((rank) => this.#nodes.get(rank)?.state === "ready") : all;
      return this.#calls.broadcast(pending, ranks, options.signal) as Batch<R>;
    } catch (error) {
      return this.#calls.refusedBatch(error) as Batch<R>;
    }
  }

  /**
   * Runs `fn` once for each item, which is its one argument. Items may come from an iterable, also an endless or an
   * asynchronous one: they are pulled as fast as nodes take them.
   */
  map<A extends readonly unknown[], R>(fn: Fn<A, R>, items: Items<A[0]>, options?: CallOptions): Batch<ResultOf<R>>;
  map<A extends readonly unknown[], R>(
    fn: (...args: A) => Pending<R>,
    items: Items<A[0]>,
    options?: CallOptions,
  ): Batch<R>;
  map<I, R>(fn: (item: I) => R, items: Items<I>, options?: CallOptions): Batch<ResultOf<R>>;
  map(fn: unknown, items: unknown, options: CallOptions = {}): Batch<unknown> {
    return this.#map("pool.map", fn, items, true, options);
  }

  /** Like `map`, each item being the list of arguments. */
  starmap<A extends readonly unknown[], R>(
    fn: Fn<A, R>,
    items: Items<Readonly<A>>,
    options?: CallOptions,
  ): Batch<ResultOf<R>>;
  starmap<A extends readonly unknown[], R>(
    fn: (...args: A) => Pending<R>,
    items: Items<Readonly<A>>,
    options?: CallOptions,
  ): Batch<R>;
  starmap<A extends readonly unknown[], R>(
    fn: (...args: A) => R,
    items: Items<Readonly<A>>,
    options?: CallOptions,
  ): Batch<ResultOf<R>>;
  starmap(fn: unknown, items: unknown, options: CallOptions = {}): Batch<unknown> {
    return this.#map("pool.starmap", fn, items, false, options);
  }

  /** Ends all tasks and nodes. Idempotent; resolves when nothing is left. */
  close(reason = "the pool was closed"): Promise<void> {
    this.#closing ??= this.#close(reason);
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close("its scope ended");
  }

  /** @internal Brings up the nodes; resolves when enough are ready. */
  async open(): Promise<this> {
    const { provider, desired, min, concurrency, signal } = this.#spec;
    this.#emit({ type: "Pool.Provisioning", totalNodes: desired, provider: provider.name, concurrency });
    signal?.addEventListener("abort", this.#aborted, { once: true });
    try {
      signal?.throwIfAborted();
      await this.#bringUp(min, desired);
    } catch (error) {
      const failed = this.#failure(error);
      this.#emit({ type: "Pool.ProvisionFailed", reason: failed.message, code: failed.code });
      await this.close("it could not be opened");
      throw failed;
    }
    let slots = 0;
    for (const node of this.#nodes.values()) if (node.state === "ready") slots += concurrency;
    this.#emit({ type: "Pool.Ready", nodes: this.nodes, slots, elapsedMs: this.#elapsed() });
    return this;
  }

  #aborted = (): void => void this.close("its signal was aborted");

  #map(method: string, fn: unknown, items: unknown, single: boolean, options: CallOptions): Batch<unknown> {
    try {
      checkOptions(method, options, ["target", "signal"]);
      return this.#calls.map(fn, items, single, targetRank(options.target, this.#spec.desired), options);
    } catch (error) {
      return this.#calls.refusedBatch(error);
    }
  }

  /** Starts all nodes at once; resolves when `min` are ready, rejects when that can't happen any more. */
  async #bringUp(min: number, desired: number): Promise<void> {
    let left = desired;
    let ready = 0;
    await new Promise<void>((resolve, reject) => {
      for (let rank = 0; rank < desired; rank++) {
        this.#startNode(rank).then(
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

  #startNode(rank: number): Promise<void> {
    const { provider, concurrency, env, killGraceMs } = this.#spec;
    const node = new Node({
      rank,
      pool: this.name,
      provider,
      config: {
        version: AGENT_VERSION,
        token: this.#token,
        epoch: this.#epoch,
        concurrency,
        executor: "thread",
        killGraceMs,
        env,
      },
      dispatcher: this.#dispatcher,
      shows: (bind, stream) => this.#shows(rank, bind, stream),
      emit: (event) => this.#emit(event),
      onReady: () => this.#publish(),
      onLost: (lost, reason) => this.#replaceLater(lost, reason),
      onProgress: (task, done, of) => this.#taskProgress(rank, task, done, of),
    });
    this.#nodes.set(rank, node);
    return node.start();
  }

  #replaceLater(lost: Node, reason: string): void {
    this.#replace(lost, reason).catch((error: unknown) =>
      this.#emit({
        type: "Error.Occurred",
        message: `node ${lost.rank}: ${messageOf(error)}`,
        fatal: false,
        node: lost.rank,
      }),
    );
  }

  async #replace(lost: Node, reason: string): Promise<void> {
    const previous = lost.machine?.name ?? "";
    await lost.close();
    for (let attempt = 1; attempt <= REPLACE_TRIES && !this.#closing; attempt++) {
      try {
        await this.#startNode(lost.rank);
        this.#emit({
          type: "Node.Replaced",
          node: lost.rank,
          previous,
          machine: this.#nodes.get(lost.rank)?.machine?.name ?? "",
        });
        return;
      } catch (error) {
        const { message, code } = this.#failure(error);
        this.#emit({ type: "Node.WorkerFailed", node: lost.rank, error: message, code });
        await this.#nodes.get(lost.rank)?.close();
      }
    }
    if (this.#closing) return;
    const others = [...this.#nodes.values()].some(
      (node) => node.rank !== lost.rank && node.state !== "lost" && node.state !== "closed",
    );
    const failed = new SkyError(
      "SKY_POOL_FAILED",
      others
        ? `node ${lost.rank} is lost and could not be made anew: ${reason}`
        : `no node is left, and none could be made anew: ${reason}`,
    );
    this.#emit({ type: "Error.Occurred", message: failed.message, fatal: !others, code: failed.code });
    if (others) this.#dispatcher.abandon(lost.rank, failed);
    else this.#dispatcher.close(failed);
  }

  /** Tells every node how the pool looks now. */
  #publish(): void {
    const nodes = [...this.#nodes.values()].sort((a, b) => a.rank - b.rank);
    for (const node of nodes) node.topology(placeOf(node, nodes, this.#spec.desired, this.#jobId));
  }

  #shows(rank: number, bind: Bind, stream: "stdout" | "stderr"): boolean {
    const rule = bind.rule(stream);
    if (rule === undefined) return true;
    if (rule === false) return false;
    if (rule === "head") return rank === 0;
    try {
      return rule({ node: rank, worker: 0, isHead: rank === 0, totalNodes: this.#spec.desired });
    } catch (error) {
      this.#emit({
        type: "Error.Occurred",
        message: `the output rule of ${bind.name} threw, so its lines are shown: ${messageOf(error)}`,
        fatal: false,
      });
      return true;
    }
  }

  #taskProgress(node: number, task: number, done: number, of: number | null): void {
    if (!this.#bus.wants("Task.Progress")) return;
    this.#emit({
      type: "Task.Progress",
      node,
      task: `t${task}`,
      name: this.#dispatcher.nameOf(task) ?? "",
      attempt: 1,
      done,
      ...(of === null ? {} : { of }),
    });
  }

  async #close(reason: string): Promise<void> {
    this.#emit({ type: "Pool.Stopping", reason });
    const closed = new SkyError("SKY_POOL_CLOSED", `the pool "${this.name}" is closed: ${reason}`);
    this.#dispatcher.close(closed);
    this.#calls.close(closed);
    this.#spec.signal?.removeEventListener("abort", this.#aborted);
    this.#reportUnobserved();
    for (const ended of await Promise.allSettled([...this.#nodes.values()].map((node) => node.close()))) {
      if (ended.status === "rejected")
        this.#emit({
          type: "Error.Occurred",
          message: `a node was not left in order: ${messageOf(ended.reason)}`,
          fatal: false,
        });
    }
    clearInterval(this.#keepAlive);
    this.#release();
    this.#progress.flush();
    this.#emit({ type: "Pool.Stopped", elapsedMs: this.#elapsed() });
    this.#console?.[Symbol.dispose]();
    this.#bus.close();
  }

  #reportUnobserved(): void {
    const failures: string[] = [];
    for (const task of this.#unobserved.tasks)
      if (!isClosed(task.failure)) failures.push(`${task.name} (${task.id}): ${messageOf(task.failure)}`);
    for (const batch of this.#calls.unobservedBatches) {
      const { count, first } = batch.unobserved ?? {};
      if (count && !isClosed(first)) failures.push(`${count} tasks of a batch, the first with: ${messageOf(first)}`);
    }
    for (const failure of failures)
      this.#emit({ type: "Error.Occurred", message: `a failure that nobody awaited: ${failure}`, fatal: false });
  }

  #failure(error: unknown): SkyError {
    if (error instanceof SkyError) return error;
    return new SkyError("SKY_POOL_FAILED", `the pool "${this.name}" could not be opened: ${messageOf(error)}`, {
      cause: error,
    });
  }

  #elapsed(): number {
    return Math.round(performance.now() - this.#began);
  }

  #emit(event: NodeNews): void {
    this.#bus.emit({ ...event, pool: this.name, at: Date.now() });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

function isClosed(error: unknown): boolean {
  return error instanceof SkyError && (error.code === "SKY_POOL_CLOSED" || error.code === "SKY_TASK_CANCELLED");
}
