import { setMaxListeners } from "node:events";
import { SkyError } from "../errors/sky-error.ts";
import { EventBus } from "../events/bus.ts";
import { hiderOf } from "../values/hide-secrets.ts";
import type { SkyEvent } from "../events/event.ts";
import { projectPool } from "../events/projection.ts";
import { emptyPool, type PoolView } from "../events/views.ts";
import type { Fn } from "../function/fn.ts";
import { type Group, isGroup } from "../function/group.ts";
import type { OrRefs, Ref } from "../function/ref.ts";
import { chooseNode } from "../image/node-choice.ts";
import { listedPackages } from "../image/resolve.ts";
import { keepExternal } from "../values/externals.ts";
import { blobBytes } from "../wire/blob-bytes.ts";
import { encodeParts } from "./dispatch/encode-parts.ts";
import type { Pending } from "../function/pending.ts";
import type { ResultOf } from "../function/stream.ts";
import type { SessionCounters } from "../wire/session.ts";
import type { Batch } from "./batch.ts";
import { exec, EXEC_OPTIONS, type ExecOptions, type ExecResult, type Place } from "./access/exec.ts";
import { Files } from "./access/files.ts";
import { shell, type ShellOptions } from "./access/shell.ts";
import { type BroadcastOptions, type CallOptions, checkOptions, type Target, targetRank } from "./call-options.ts";
import { checkFunctions } from "./check-functions.ts";
import { Calls } from "./calls.ts";
import { Dispatcher } from "./dispatch/dispatcher.ts";
import { Endpoint } from "./endpoint/endpoint.ts";
import { guard } from "./exit.ts";
import { lateRefusal } from "./late-refusal.ts";
import { messageOf } from "./message-of.ts";
import type { NodeNews } from "./node/node-news.ts";
import { Nodes } from "./node/nodes.ts";
import { Progress } from "./progress.ts";
import type { PoolSpec } from "./spec.ts";
import { patienceMs, Stillness } from "./stillness.ts";
import type { Task } from "./task.ts";
import { type Trace, TraceFile } from "./trace/trace.ts";
import { Unobserved } from "./unobserved.ts";

const PUT_HOOKS = { root: "value", external: keepExternal, blob: blobBytes };

type Items<T> = Iterable<T> | AsyncIterable<T>;

/** A set of nodes with one life. Opened by `sky.compute`; leaving the scope closes it. */
export class Pool implements AsyncDisposable {
  readonly name: string;
  readonly #spec: PoolSpec;
  readonly #bus: EventBus;
  readonly #nodes: Nodes;
  readonly #dispatcher: Dispatcher;
  readonly #calls: Calls;
  readonly #unobserved = new Unobserved();
  readonly #progress: Progress;
  readonly #began = performance.now();
  readonly #release: () => void;
  readonly #console: Disposable | undefined;
  readonly #endpoint: Endpoint;
  #view: PoolView;
  #closing: Promise<void> | undefined;
  #closed: SkyError | undefined;
  #opened = false;
  readonly #traces: Trace[] = [];
  /** Aborted when the pool closes: for commands, files and shells. */
  readonly #access = new AbortController();
  readonly #stillness: Stillness;

  /** @internal Use `sky.compute`. */
  constructor(spec: PoolSpec, attachConsole: (bus: EventBus, mode: PoolSpec["console"]) => Disposable) {
    this.name = spec.name;
    this.#spec = spec;
    this.#bus = new EventBus(hiderOf(Object.values(spec.image.secrets)));
    this.#view = emptyPool(spec.name, Date.now());
    this.#bus.subscribe((event) => (this.#view = projectPool(this.#view, event)), {
      only: ["Pool", "Node", "Tasks", "Scaling", "Error", "Metric"],
    });
    this.#console = attachConsole(this.#bus, spec.console);
    this.#progress = new Progress(this.#bus, spec.name, performance.timeOrigin + this.#began);
    this.#dispatcher = new Dispatcher({
      defaultLimitMs: spec.defaultLimitMs,
      listed: listedPackages(spec.image),
      retryOnInterruption: spec.retryOnInterruption,
      buffer: spec.buffer,
      events: this.#progress,
      refusal: (error) => lateRefusal(error, spec.name, this.nodes),
      beforeWork: () => this.#stillness.look(),
      now: () => performance.now() - this.#began,
      epochMs: performance.timeOrigin + this.#began,
    });
    this.#progress.watch(this.#dispatcher);
    this.#endpoint = new Endpoint({
      name: spec.name,
      bus: this.#bus,
      snapshot: () => this.snapshot(),
      places: (target) => this.#places(target, "all"),
    });
    this.#nodes = new Nodes({
      spec,
      leftover: this.#endpoint.path,
      dispatcher: this.#dispatcher,
      emit: (event) => this.#emit(event),
      keepLog: (node, machine, reason) => this.#endpoint.keepLog(node, machine, reason),
      onProgress: (node, task, done, of) => this.#progress.task(node, task, done, of),
    });
    this.#calls = new Calls(this.#dispatcher, this.#unobserved);
    this.#release = guard(this);
    // One for each command that runs.
    setMaxListeners(0, this.#access.signal);
    this.#stillness = new Stillness(patienceMs(spec.ttlMs), (ms) => this.#nodes.askAgain(ms));
  }

  /** Whether the pool is closed or closing. */
  get closed(): boolean {
    return this.#closing !== undefined;
  }

  /** Nodes that are ready now. */
  get nodes(): number {
    return this.#nodes.ready;
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

  /**
   * Writes what happens from now on into a file that https://ui.perfetto.dev and chrome://tracing open, until the pool
   * closes or the trace is stopped: each node with its steps so far, its tasks, and large values on their way.
   * @throws SkyError SKY_BAD_OPTION where the file can't be written, SKY_POOL_CLOSED
   */
  trace(file: string): Trace {
    if (this.closed) throw new SkyError("SKY_POOL_CLOSED", `the pool "${this.name}" is closed`);
    const trace = new TraceFile(file, this.#bus, this.snapshot(), (message) => this.#progress.problem(message));
    this.#traces.push(trace);
    return trace;
  }

  /** Why tasks wait, in words; undefined when none does. */
  explain(): string | undefined {
    return this.#dispatcher.explain();
  }

  /** Bytes, frames and writes on each node's data link so far, by rank. */
  stats(): readonly (SessionCounters & { readonly node: number })[] {
    return [...this.#nodes].map((node) => ({ node: node.rank, ...node.counters }));
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
      const ranks = options.only === "ready" ? all.filter((rank) => this.#nodes.isReady(rank)) : all;
      return this.#calls.broadcast(pending, ranks, options.signal) as Batch<R>;
    } catch (error) {
      return this.#calls.refusedBatch(error) as Batch<R>;
    }
  }

  /**
   * Runs `fn` once for each item, which is its one argument. Items may come from an iterable, also an endless or an
   * asynchronous one: they are pulled as fast as nodes take them.
   */
  map<A extends readonly unknown[], R>(
    fn: Fn<A, R>,
    items: Items<A[0] | Ref<A[0]>>,
    options?: CallOptions,
  ): Batch<ResultOf<R>>;
  map<A extends readonly unknown[], R>(
    fn: (...args: A) => Pending<R>,
    items: Items<A[0]>,
    options?: CallOptions,
  ): Batch<R>;
  map<I, R>(fn: (item: I) => R, items: Items<I | Ref<I>>, options?: CallOptions): Batch<ResultOf<R>>;
  map(fn: unknown, items: unknown, options: CallOptions = {}): Batch<unknown> {
    return this.#map("pool.map", fn, items, true, options);
  }

  /** Like `map`, each item being the list of arguments. */
  starmap<A extends readonly unknown[], R>(
    fn: Fn<A, R>,
    items: Items<Readonly<OrRefs<A>>>,
    options?: CallOptions,
  ): Batch<ResultOf<R>>;
  starmap<A extends readonly unknown[], R>(
    fn: (...args: A) => Pending<R>,
    items: Items<Readonly<A>>,
    options?: CallOptions,
  ): Batch<R>;
  starmap<A extends readonly unknown[], R>(
    fn: (...args: A) => R,
    items: Items<Readonly<OrRefs<A>>>,
    options?: CallOptions,
  ): Batch<ResultOf<R>>;
  starmap(fn: unknown, items: unknown, options: CallOptions = {}): Batch<unknown> {
    return this.#map("pool.starmap", fn, items, false, options);
  }

  /**
   * Runs a shell command on nodes, with the variables that tasks have; a list of words is run as it is. Results by rank.
   *
   * ```ts
   * const [first] = await pool.exec("nvidia-smi -L");
   * const { stdout } = await pool.exec(["cat", path], { target: "head" });
   * ```
   * @throws SkyError SKY_EXEC_FAILED for an exit code other than 0, SKY_BAD_TARGET, SKY_BAD_OPTION, SKY_LINK_LOST
   */
  exec(
    command: string | readonly string[],
    options: ExecOptions & { readonly target: "head" | number },
  ): Promise<ExecResult>;
  exec(command: string | readonly string[], options?: ExecOptions): Promise<ExecResult[]>;
  exec(command: string | readonly string[], options: ExecOptions = {}): Promise<ExecResult | ExecResult[]> {
    return this.#untilClosed(async () => {
      checkOptions("pool.exec", options, EXEC_OPTIONS);
      const results = await exec(command, this.#places(options.target, "all"), options);
      return options.target === undefined || options.target === "all" ? results : results[0]!;
    });
  }

  /** Files on the nodes: `ls`, `rm`, `upload`, `download`. */
  readonly files = new Files((target, usual) => this.#places(target, usual));

  /**
   * Opens a login shell on a node, on this program's terminal, until it is left.
   * @param target @default "head"
   * @returns its exit code; null where a signal ended it
   */
  async shell(target: "head" | number = "head", options: ShellOptions = {}): Promise<number | null> {
    checkOptions("pool.shell", options, ["command", "columns", "rows", "stdin", "stdout", "signal"]);
    return shell(this.#places(target, "head")[0]!, options);
  }

  /**
   * Keeps a value for calls of this pool: it crosses to each node once, whoever uses it, and is sent again when a node
   * has lost it. It is encoded now: later changes do not reach the tasks. A task gets a copy of its own.
   *
   * ```ts
   * using weights = pool.put(new Float32Array(25_000_000));
   * const scores = await pool.starmap(score, rows.map((row) => [row, weights]));
   * ```
   * @throws SkyError SKY_POOL_CLOSED, SKY_VALUE_*
   */
  put<T>(value: T): Ref<T> {
    if (this.#dispatcher.closed) throw this.#dispatcher.closed;
    return this.#dispatcher.values.ref(encodeParts(value, PUT_HOOKS));
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
    const { provider, desired, concurrency, image, creates, signal } = this.#spec;
    signal?.addEventListener("abort", this.#aborted, { once: true });
    // Without it the pool works as well.
    this.#endpoint.listen().catch(() => undefined);
    try {
      signal?.throwIfAborted();
      const codes = this.#calls.capture(this.#spec.functions);
      await checkFunctions(codes, provider.atHome === true);
      const node = await chooseNode(image.node, process.env["SKYWARD_NODE_MIRROR"], !creates);
      signal?.throwIfAborted();
      this.#emit({ type: "Pool.Provisioning", totalNodes: desired, provider: provider.name, concurrency });
      await this.#nodes.open(codes, node);
      this.#opened = true;
    } catch (error) {
      const failed = this.#closed ?? this.#failure(error);
      this.#emit({ type: "Pool.ProvisionFailed", reason: failed.message, code: failed.code });
      await this.close("it could not be opened");
      throw failed;
    }
    this.#emit({ type: "Pool.Ready", nodes: this.nodes, slots: this.nodes * concurrency, elapsedMs: this.#elapsed() });
    return this;
  }

  /** What the pool's end cuts off, and nobody waits for, is no unhandled rejection. */
  #untilClosed<T>(run: () => Promise<T>): Promise<T> {
    const { signal } = this.#access;
    const hush = (): void => void result.catch(() => undefined);
    signal.addEventListener("abort", hush, { once: true });
    const result = (async () => {
      try {
        return await run();
      } finally {
        signal.removeEventListener("abort", hush);
      }
    })();
    return result;
  }

  #aborted = (): void => void this.close("its signal was aborted");

  /** The machines that are meant. @throws SkyError SKY_BAD_TARGET, SKY_POOL_CLOSED, SKY_LINK_LOST */
  #places(target: "all" | Target | undefined, usual: "all" | Target): readonly Place[] {
    if (this.#closing !== undefined) throw new SkyError("SKY_POOL_CLOSED", `the pool "${this.name}" is closed`);
    const wanted = target ?? usual;
    const all = wanted === "all";
    const ranks = all ? [...this.#nodes].map((node) => node.rank) : [targetRank(wanted, this.#spec.desired)];
    const places = ranks.flatMap((rank) => this.#nodes.placeOf(rank) ?? []);
    if (places.length > 0) return places.map((place) => ({ ...place, closed: this.#access.signal }));
    if (all) throw new SkyError("SKY_LINK_LOST", "no node is ready", { retryable: true });
    const [rank] = ranks;
    throw new SkyError("SKY_LINK_LOST", `node ${rank} is not ready`, { retryable: true, details: { node: rank } });
  }

  #map(method: string, fn: unknown, items: unknown, single: boolean, options: CallOptions): Batch<unknown> {
    try {
      checkOptions(method, options, ["target", "signal"]);
      return this.#calls.map(fn, items, single, targetRank(options.target, this.#spec.desired), options);
    } catch (error) {
      return this.#calls.refusedBatch(error);
    }
  }

  async #close(reason: string): Promise<void> {
    this.#emit({ type: "Pool.Stopping", reason });
    const closed = new SkyError("SKY_POOL_CLOSED", `the pool "${this.name}" is closed: ${reason}`, {
      cause: this.#spec.signal?.reason,
    });
    this.#closed = closed;
    this.#access.abort(closed);
    this.#dispatcher.close(closed);
    this.#calls.close(closed);
    this.#spec.signal?.removeEventListener("abort", this.#aborted);
    for (const failure of this.#unobserved.report(this.#calls.unobservedBatches))
      this.#emit({ type: "Error.Occurred", message: `a failure that nobody awaited: ${failure}`, fatal: false });
    await this.#nodes.close(this.#opened);
    await this.#dispatcher.dispose();
    this.#endpoint.close();
    this.#stillness.dispose();
    this.#release();
    this.#progress.flush();
    await Promise.all(this.#traces.map((trace) => trace.stop()));
    this.#emit({ type: "Pool.Stopped", elapsedMs: this.#elapsed() });
    this.#console?.[Symbol.dispose]();
    this.#bus.close();
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
