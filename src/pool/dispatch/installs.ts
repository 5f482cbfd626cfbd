import type { Code } from "../../function/capture/code.ts";
import type { SkyError } from "../../errors/sky-error.ts";
import type { NodePort } from "./node-port.ts";

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
  readonly ports: ReadonlyMap<number, NodePort>;
  readonly now: () => number;
  /** A node can, or can't, be given tasks of a group. */
  readonly hold: (rank: number, group: number, held: boolean) => void;
  /** Tasks of a code that only this node may run, or any where it names none, can't run. */
  readonly failed: (code: Code, rank: number | undefined, error: SkyError) => void;
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

  /** Resolves when a node has what the code needs. @throws SkyError SKY_INSTALL_FAILED, when none can */
  async first(code: Code, group: number): Promise<void> {
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
    const { hold, ports, now, failed } = this.#options;
    hold(port.rank, wanted.group, true);
    const isUp = (): boolean => ports.get(port.rank) === port;
    port.prepare(code).then(
      () => {
        if (!isUp()) return;
        wanted.ready.add(port);
        hold(port.rank, wanted.group, false);
        for (const one of wanted.waiting.splice(0)) one.resolve();
      },
      (error: SkyError) => {
        if (!isUp()) return;
        wanted.failed.set(port, { error, at: now() });
        failed(code, port.rank, error);
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
    this.#options.failed(code, undefined, last.error);
  }
}
