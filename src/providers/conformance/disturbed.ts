import { setTimeout as sleep } from "node:timers/promises";
import type { CloudProvider, Instance, Intent, Order } from "../cloud-provider.ts";

/** Calls that can be disturbed. */
export type Call = "prepare" | "provision" | "list" | "describe" | "terminate" | "teardown" | "save";

/** What happens to one call of a provider. */
export type Disturbance =
  /** It fails and does nothing. */
  | { readonly type: "error"; readonly error: Error }
  /** It is done, and its answer is lost. */
  | { readonly type: "lost" }
  /** It fails, and is done a while later. */
  | { readonly type: "late"; readonly ms: number }
  /** The machine that it tells of is not known yet. */
  | { readonly type: "unknown" }
  /** The machine that it tells of has only just begun to start. */
  | { readonly type: "young" };

/** Says what happens to the `n`th call of a kind, from 0. */
export type Plan = (call: Call, n: number) => Disturbance | undefined | Promise<undefined>;

/** A provider whose answers are disturbed; what it does is the real one's. */
export class Disturbed<P> implements CloudProvider<P> {
  readonly calls: Record<Call, number> = {
    prepare: 0,
    provision: 0,
    list: 0,
    describe: 0,
    terminate: 0,
    teardown: 0,
    save: 0,
  };
  readonly #real: CloudProvider<P>;
  readonly #plan: Plan;
  readonly #after: Plan;

  /** @param after asked when the call has been done */
  constructor(real: CloudProvider<P>, plan: Plan, after: Plan = () => undefined) {
    this.#real = real;
    this.#plan = plan;
    this.#after = after;
  }

  get name(): string {
    return this.#real.name;
  }

  get trust(): "ours" | "stranger" {
    return this.#real.trust;
  }

  get selfEnd(): "os" | "scoped-token" | "none" {
    return this.#real.selfEnd;
  }

  get reference(): CloudProvider["reference"] {
    return this.#real.reference;
  }

  get shape(): string {
    return this.#real.shape ?? JSON.stringify(this.#real.reference);
  }

  checkImage(image: Parameters<NonNullable<CloudProvider["checkImage"]>>[0]): void {
    this.#real.checkImage?.(image);
  }

  offers(signal: AbortSignal): ReturnType<CloudProvider["offers"]> {
    return this.#real.offers(signal);
  }

  prepare(order: Order, signal: AbortSignal): Promise<P> {
    return this.#disturb("prepare", () => this.#real.prepare(order, signal));
  }

  provision(intent: Intent, prepared: P, signal: AbortSignal): Promise<Instance> {
    return this.#disturb("provision", () => this.#real.provision(intent, prepared, signal), young);
  }

  list(owner: string, signal: AbortSignal): Promise<readonly Instance[]> {
    return this.#disturb("list", () => this.#real.list(owner, signal));
  }

  describe(id: string, signal: AbortSignal): Promise<Instance | undefined> {
    return this.#disturb(
      "describe",
      () => this.#real.describe(id, signal),
      (now) => (now ? young(now) : now),
    );
  }

  terminate(id: string, signal: AbortSignal): Promise<void> {
    return this.#disturb("terminate", () => this.#real.terminate(id, signal));
  }

  teardown(prepared: P, signal: AbortSignal): Promise<void> {
    return this.#disturb("teardown", () => this.#real.teardown(prepared, signal));
  }

  save(id: string, prepared: P, signal: AbortSignal): Promise<void> {
    return this.#disturb("save", async () => this.#real.save?.(id, prepared, signal));
  }

  async #disturb<T>(call: Call, real: () => Promise<T>, younger: (answer: T) => T = (answer) => answer): Promise<T> {
    const n = this.calls[call]++;
    const how = await this.#plan(call, n);
    if (how?.type === "error") throw how.error;
    if (how?.type === "unknown") return undefined as T;
    if (how?.type === "late") {
      void sleep(how.ms).then(real);
      throw new Error("socket hang up");
    }
    const answer = await real();
    await this.#after(call, n);
    if (how?.type === "lost") throw new Error("socket hang up");
    return how?.type === "young" ? younger(answer) : answer;
  }
}

function young({ login: _, ...rest }: Instance): Instance {
  return { ...rest, state: "starting" };
}
