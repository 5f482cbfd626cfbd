import type { Code } from "../../function/capture/code.ts";
import type { SkyError } from "../../errors/sky-error.ts";
import type { Scheduler } from "../core/scheduler.ts";
import type { Bind } from "./bind.ts";
import type { NodePort } from "./node-port.ts";
import type { Segment } from "./segment.ts";

/** An installation that failed is not tried again sooner. */
const AGAIN_MS = 10_000;

/** Where a function's packages are, among the nodes that are up. */
interface Wanted {
  readonly group: number;
  readonly ready: Set<NodePort>;
  readonly failed: Map<NodePort, { readonly error: SkyError; readonly at: number }>;
  /** Those who wait for the first node. */
  waiting: { resolve(): void; reject(error: SkyError): void }[];
}

export interface InstallsOptions {
  readonly scheduler: Scheduler;
  readonly ports: ReadonlyMap<number, NodePort>;
  readonly segments: Iterable<Segment>;
  readonly now: () => number;
  /** Looks for work that can leave. */
  readonly schedule: () => void;
  /** Ends a segment that can't run. */
  readonly fail: (segment: Segment, error: SkyError) => void;
  /** What to throw where a function can't be sent. */
  readonly refusal: (error: unknown) => unknown;
}

/** Has nodes install what functions need of native packages. Tasks wait for the first node that has, and go to none that has not. */
export class Installs {
  readonly #options: InstallsOptions;
  readonly #wanted = new Map<Code, Wanted>();

  constructor(options: InstallsOptions) {
    this.#options = options;
  }

  /** Whether tasks of the code can be queued: it needs nothing, or a node has it. */
  has(code: Code): boolean {
    return code.artifact?.externals.length === 0 || (this.#wanted.get(code)?.ready.size ?? 0) > 0;
  }

  /**
   * Makes a bind's code, and resolves when a node has what it needs.
   * @throws SkyError SKY_CAPTURE_*, or SKY_INSTALL_FAILED when no node can install it
   */
  async prepare({ code, group }: Bind): Promise<void> {
    try {
      await code.ready();
    } catch (error) {
      throw this.#options.refusal(error);
    }
    if (this.has(code)) return;
    let wanted = this.#wanted.get(code);
    if (wanted === undefined) {
      wanted = { group, ready: new Set(), failed: new Map(), waiting: [] };
      this.#wanted.set(code, wanted);
    }
    const { now, ports } = this.#options;
    for (const [port, { at }] of wanted.failed) if (now() - at >= AGAIN_MS) wanted.failed.delete(port);
    const { waiting } = wanted;
    const first = new Promise<void>((resolve, reject) => waiting.push({ resolve, reject }));
    for (const port of ports.values()) this.#start(code, wanted, port);
    this.#settle(code, wanted);
    return first;
  }

  /** Why the node with this rank can't run the code; after a while it tries again. */
  failure(code: Code, rank: number): SkyError | undefined {
    if (this.#wanted.size === 0) return undefined;
    const wanted = this.#wanted.get(code);
    const port = this.#options.ports.get(rank);
    const failed = port && wanted?.failed.get(port);
    if (!wanted || !port || !failed) return undefined;
    if (this.#options.now() - failed.at < AGAIN_MS) return failed.error;
    wanted.failed.delete(port);
    this.#start(code, wanted, port);
    return undefined;
  }

  up(port: NodePort): void {
    for (const [code, wanted] of this.#wanted) this.#start(code, wanted, port);
  }

  down(port: NodePort): void {
    for (const [code, wanted] of this.#wanted) {
      wanted.ready.delete(port);
      wanted.failed.delete(port);
      this.#settle(code, wanted);
    }
  }

  close(reason: SkyError): void {
    for (const wanted of this.#wanted.values()) for (const one of wanted.waiting.splice(0)) one.reject(reason);
  }

  #start(code: Code, wanted: Wanted, port: NodePort): void {
    if (wanted.ready.has(port) || wanted.failed.has(port)) return;
    const { scheduler, ports, now, schedule } = this.#options;
    scheduler.hold(port.rank, wanted.group, true);
    const isUp = (): boolean => ports.get(port.rank) === port;
    port.prepare(code).then(
      () => {
        if (!isUp()) return;
        wanted.ready.add(port);
        scheduler.hold(port.rank, wanted.group, false);
        for (const one of wanted.waiting.splice(0)) one.resolve();
        schedule();
      },
      (error: SkyError) => {
        if (!isUp()) return;
        wanted.failed.set(port, { error, at: now() });
        this.#fail(code, port.rank, error);
        this.#settle(code, wanted);
      },
    );
  }

  /** Ends the wait for the first node when all that there are have failed. */
  #settle(code: Code, wanted: Wanted): void {
    const { ports } = this.#options;
    const [last] = wanted.failed.values();
    if (last === undefined || [...ports.values()].some((port) => !wanted.failed.has(port))) return;
    for (const one of wanted.waiting.splice(0)) one.reject(last.error);
    this.#fail(code, undefined, last.error);
  }

  /** Ends the code's tasks that only this node may run; all, where it names none. */
  #fail(code: Code, rank: number | undefined, error: SkyError): void {
    const { segments, fail } = this.#options;
    for (const segment of segments)
      if (segment.bind.code === code && (rank === undefined || segment.target === rank)) fail(segment, error);
  }
}
