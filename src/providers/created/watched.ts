import { setTimeout as sleep } from "node:timers/promises";
import { SkyError } from "../../errors/sky-error.ts";
import type { ResolvedImage } from "../../image/image.ts";
import type { CloudProvider, Instance, Intent, Offer, Order } from "../cloud-provider.ts";
import { instanceFault, offerFault, shown } from "./check-provider.ts";
import { type Patience, Waits } from "./patience.ts";

/** A call that makes or keeps something may take this long, */
const MAKE_LIMIT_MS = 120_000;
/** one that asks, or ends a machine, so long, */
const ASK_LIMIT_MS = 30_000;
/** and one that was told to end this much longer. Then it is given up, whatever it does. */
const END_LIMIT_MS = 2000;
/** After this long a call that is still waited for is told of. */
const SLOW_MS = 10_000;
/** How long a provider is waited for that takes no more calls. */
const BUSY: Patience = { firstMs: 300, longestMs: 10_000, limitMs: 120_000 };

type Call = "offers" | "prepare" | "provision" | "list" | "describe" | "terminate" | "teardown" | "save" | "leaseLeft";

interface How {
  readonly signal: AbortSignal;
  readonly limitMs?: number;
  /** What the call is about, for its error. */
  readonly of?: string;
  /** Whether the signal ends the call itself, not only the waits between tries. @default true */
  readonly abortable?: boolean;
}

/**
 * A provider as the rest uses it: each call ends, in time or with an error that names provider and call; what it
 * answers has the right shape; and while it takes no more calls it is waited for, and `say` told.
 */
export function watched<P>(cloud: CloudProvider<P>, say: (words: string) => void = () => undefined): CloudProvider<P> {
  return new Watched(cloud, say);
}

class Watched<P> implements CloudProvider<P> {
  readonly name: string;
  readonly trust: "ours" | "stranger";
  readonly selfEnd: "os" | "scoped-token" | "none";
  readonly reference: CloudProvider["reference"];
  readonly shape?: string;
  readonly save?: (id: string, prepared: P, signal: AbortSignal) => Promise<void>;
  readonly leaseLeft?: (id: string, signal: AbortSignal) => Promise<number | undefined>;
  readonly #cloud: CloudProvider<P>;
  readonly #say: (words: string) => void;

  constructor(cloud: CloudProvider<P>, say: (words: string) => void) {
    this.#cloud = cloud;
    this.#say = say;
    this.name = cloud.name;
    this.trust = cloud.trust;
    this.selfEnd = cloud.selfEnd;
    this.reference = cloud.reference;
    if (cloud.shape !== undefined) this.shape = cloud.shape;
    if (cloud.save)
      this.save = (id, prepared, signal) =>
        this.#call("save", { signal, limitMs: MAKE_LIMIT_MS, of: id }, (until) => cloud.save!(id, prepared, until));
    if (cloud.leaseLeft)
      this.leaseLeft = (id, signal) =>
        this.#call("leaseLeft", { signal, of: id }, (until) => cloud.leaseLeft!(id, until));
  }

  checkImage(image: ResolvedImage): void {
    this.#cloud.checkImage?.(image);
  }

  async *offers(signal: AbortSignal): AsyncGenerator<Offer> {
    yield* await this.#call("offers", { signal }, async (until) => {
      const list: Offer[] = [];
      const given = this.#cloud.offers(until) as AsyncIterable<Offer> | undefined;
      if (typeof given !== "object" || !(Symbol.asyncIterator in given || Symbol.iterator in given))
        throw new TypeError(`it must yield offers; it gave ${shown(given)}`);
      for await (const offer of given) list.push(good(offer, offerFault));
      return list;
    });
  }

  prepare(order: Order, signal: AbortSignal): Promise<P> {
    return this.#call("prepare", { signal, limitMs: Infinity }, (until) => this.#cloud.prepare(order, until));
  }

  provision(intent: Intent, prepared: P, signal: AbortSignal): Promise<Instance> {
    // Whoever gives up meanwhile still has to learn what was created.
    const how = { signal, limitMs: MAKE_LIMIT_MS, of: intent.name, abortable: false };
    return this.#call("provision", how, async (until) => {
      const made = good(await this.#cloud.provision(intent, prepared, until), instanceFault);
      if (made.name === intent.name) return made;
      throw new TypeError(`it gave the machine ${made.name}, which is another one`);
    });
  }

  list(owner: string, signal: AbortSignal): Promise<readonly Instance[]> {
    return this.#call("list", { signal }, async (until) => {
      const machines: unknown = await this.#cloud.list(owner, until);
      if (!Array.isArray(machines)) throw new TypeError(`it must give a list of machines; it gave ${shown(machines)}`);
      return machines.map((one: unknown) => good(one as Instance, instanceFault));
    });
  }

  describe(id: string, signal: AbortSignal): Promise<Instance | undefined> {
    return this.#call("describe", { signal, of: id }, async (until) => {
      const now: Instance | undefined | null = await this.#cloud.describe(id, until);
      return now === undefined || now === null ? undefined : good(now, instanceFault);
    });
  }

  terminate(id: string, signal: AbortSignal): Promise<void> {
    return this.#call("terminate", { signal, of: id }, (until) => this.#cloud.terminate(id, until));
  }

  teardown(prepared: P, signal: AbortSignal): Promise<void> {
    return this.#call("teardown", { signal, limitMs: MAKE_LIMIT_MS }, (until) => this.#cloud.teardown(prepared, until));
  }

  /** Makes a call, and makes it again while there are too many. */
  async #call<T>(call: Call, how: How, make: (until: AbortSignal) => Promise<T>): Promise<T> {
    const { signal, of, abortable = true } = how;
    const waits = new Waits(BUSY);
    for (;;) {
      if (abortable) signal.throwIfAborted();
      try {
        return await this.#once(titleOf(this.name, call, of), how, make);
      } catch (error) {
        if (abortable && signal.aborted) throw signal.reason;
        const failure = failed(this.name, call, of, error);
        const ms = failure.code === "SKY_PROVIDER_BUSY" ? waits.next(retryAfterMs(failure)) : undefined;
        if (ms === undefined) throw failure;
        this.#say(`${failure.message}; again in ${(ms / 1000).toFixed(1)} s`);
        if (!(await sleep(ms, true, { signal }).catch(() => false))) throw failure;
      }
    }
  }

  /** One try, given up when it does not end although it has to. */
  async #once<T>(
    title: string,
    { signal, limitMs = ASK_LIMIT_MS, abortable = true }: How,
    make: (until: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const over = new AbortController();
    const late = new Error(`no answer in ${limitMs / 1000} s`);
    // A timer that keeps the program alive: a command has nothing else that does.
    const timer = limitMs === Infinity ? undefined : setTimeout(() => over.abort(late), limitMs);
    const until = abortable ? AbortSignal.any([signal, over.signal]) : over.signal;
    const waits = (): void => this.#say(`${title}: waits for its answer`);
    // What takes its time in there has its own way to tell.
    const slow = limitMs === Infinity ? undefined : setTimeout(waits, SLOW_MS);
    if (!abortable) signal.addEventListener("abort", waits, { once: true });
    let ending: NodeJS.Timeout | undefined;
    const givenUp = new Promise<never>((_, reject) => {
      const giveUp = (): void => void (ending = setTimeout(() => reject(until.reason as Error), END_LIMIT_MS));
      if (until.aborted) giveUp();
      else until.addEventListener("abort", giveUp, { once: true });
    });
    try {
      return await Promise.race([(async () => make(until))(), givenUp]);
    } catch (error) {
      throw over.signal.aborted ? late : error;
    } finally {
      clearTimeout(timer);
      clearTimeout(slow);
      signal.removeEventListener("abort", waits);
      clearTimeout(ending);
    }
  }
}

/** What a provider said that was wrong, under its name and the call's. */
function failed(provider: string, call: Call, of: string | undefined, cause: unknown): SkyError {
  if (cause instanceof SkyError && cause.details["call"] !== undefined) return cause;
  const message = `${titleOf(provider, call, of)}: ${wordsOf(cause)}`;
  if (!(cause instanceof SkyError)) {
    const hint =
      call === "offers" || call === "prepare" ? { hint: "No machine was asked for yet; see the cause." } : {};
    return new SkyError("SKY_PROVIDER_FAILED", message, { cause, details: { provider, call }, ...hint });
  }
  const { code, hint, retryable, details } = cause;
  return new SkyError(code, message, { hint, retryable, details: { ...details, provider, call }, cause });
}

function titleOf(provider: string, call: Call, of: string | undefined): string {
  return `${provider}: ${call}${of === undefined ? "" : ` ${of}`}`;
}

export function wordsOf(error: unknown): string {
  if (error instanceof Error) return error.message || error.name;
  return typeof error === "string" ? error : `it threw ${shown(error)}`;
}

/** How long a provider wants to be left alone. */
function retryAfterMs({ details }: SkyError): number {
  const ms = details["retryAfterMs"];
  return typeof ms === "number" && ms > 0 ? ms : 0;
}

function good<T>(answer: T, fault: (answer: unknown) => string | undefined): T {
  const wrong = fault(answer);
  if (wrong !== undefined) throw new TypeError(wrong);
  return answer;
}
