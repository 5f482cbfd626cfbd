import { SkyError } from "../errors/sky-error.ts";
import { fnOf, isPending } from "../function/pending.ts";
import { parseDuration } from "../function/duration.ts";
import type { Image, ResolvedImage } from "../image/image.ts";
import { resolveImage } from "../image/resolve.ts";
import type { CloudProvider } from "../providers/cloud-provider.ts";
import type { Provider } from "../providers/provider.ts";
import { bad, known, show, whole } from "./checks.ts";
import { resolveWorker, type WorkerOptions, type WorkerSpec } from "./worker.ts";

type AnyFunction = (...args: never) => unknown;

/** How many nodes: exactly so many; from low to high; or each number by name. */
export type NodesSpec =
  | number
  | readonly [number, number]
  | { readonly desired: number; readonly min?: number; readonly max?: number };

/** What to provide, and how to operate it. */
export interface PoolOptions {
  /** Name in logs and events. @default "pool" */
  readonly name?: string | undefined;
  /** Where nodes come from. @default sky.local() */
  readonly provider?: Provider | CloudProvider | undefined;
  /** How long a machine that was created for the pool outlives its controller's silence; "0s": for ever. @default "600s" */
  readonly ttl?: string | undefined;
  /**
   * How long machines and their agents stay when the pool closes, for the next run of the same name to go on with. Not
   * with sky.local(). @default "0s"
   */
  readonly keep?: string | undefined;
  /** @default 1; with `sky.ssh`, one for each host */
  readonly nodes?: NodesSpec | undefined;
  readonly worker?: WorkerOptions | undefined;
  /** What each machine must have before it runs tasks. @default what is there */
  readonly image?: Image | undefined;
  /**
   * Functions that the pool will run, made by `sky.fn` or plain: checked before any machine is there, and in place, with the
   * packages that they need, before a node counts as ready. Others may be run too. @default []
   */
  readonly functions?: readonly AnyFunction[] | undefined;
  /** Run limit of a task whose function names none. @default "300s" */
  readonly defaultComputeTimeout?: string | undefined;
  /** Losses of its node or process that a task survives. @default 3 */
  readonly retryOnInterruption?: number | undefined;
  /** Environment variables of the tasks. @default {} */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** How the pool tells what it does, on stderr. @default "auto" */
  readonly console?: "auto" | "rich" | "minimal" | "log" | "silent" | boolean | undefined;
  /** Abandons opening the pool, and closes it, when it is aborted. */
  readonly signal?: AbortSignal | undefined;
}

/** What the machines that are created for a pool have in common. */
export interface CreateOrder {
  readonly pool: string;
  readonly image: ResolvedImage;
  /** 0: no lease. */
  readonly ttlMs: number;
}

/** Where machines come from, as the public surface wires it. */
export interface Sources {
  readonly defaultProvider: () => Provider;
  readonly create: (cloud: CloudProvider, order: CreateOrder) => Provider;
}

/** The same, checked and complete; durations in ms. */
export interface PoolSpec extends WorkerSpec {
  readonly name: string;
  readonly provider: Provider;
  /** Whether machines are created for the pool. */
  readonly creates: boolean;
  readonly desired: number;
  readonly min: number;
  readonly concurrency: number;
  readonly image: ResolvedImage;
  readonly functions: readonly AnyFunction[];
  /** How long an idle node outlives our silence; 0: for ever. */
  readonly ttlMs: number;
  /** 0: machines end, or are left, with the pool. */
  readonly keepMs: number;
  readonly killGraceMs: number;
  readonly defaultLimitMs: number;
  readonly retryOnInterruption: number;
  readonly env: Readonly<Record<string, string>>;
  readonly console: PoolOptions["console"];
  readonly signal: AbortSignal | undefined;
}

const NAMES = [
  "name",
  "provider",
  "ttl",
  "keep",
  "nodes",
  "worker",
  "image",
  "functions",
  "defaultComputeTimeout",
  "retryOnInterruption",
  "env",
  "console",
  "signal",
];

/** @throws SkyError SKY_BAD_OPTION, SKY_BAD_NODES, SKY_BAD_DURATION; before anything is made */
export function resolveSpec(options: PoolOptions, sources: Sources): PoolSpec {
  if (typeof options !== "object" || options === null)
    throw new SkyError(
      "SKY_BAD_OPTION",
      `sky.compute takes an object such as { nodes: 4 }; got ${options === null ? "null" : typeof options}`,
    );
  known("sky.compute", options, NAMES);
  const worker = resolveWorker(options.worker);
  const provider = options.provider ?? sources.defaultProvider();
  if (typeof provider !== "object" || provider === null || typeof provider.provision !== "function")
    throw bad("provider", "a provider such as sky.local(), sky.container() or sky.ssh({ hosts: [...] })", provider);
  const given = resolveImage(options.image, process.env);
  // A machine of our own has the Node that we mean; a borrowed one keeps what it has.
  const creates = "describe" in provider;
  const image = given.node === undefined && creates ? { ...given, node: "24" } : given;
  provider.checkImage?.(image);
  const name = text("name", options.name) ?? "pool";
  const ttlMs = options.ttl === undefined ? 600_000 : parseDuration(options.ttl, "ttl");
  const keepMs = options.keep === undefined ? 0 : parseDuration(options.keep, "keep");
  if (keepMs > 0 && !("describe" in provider) && provider.keeping === undefined)
    throw new SkyError(
      "SKY_BAD_OPTION",
      `keep needs machines that outlive the program; those of ${provider.name} don't`,
      {
        hint: "Leave keep out, or use sky.container(), sky.ssh() or a cloud.",
      },
    );
  const capacity = "capacity" in provider ? provider.capacity?.() : undefined;
  return {
    name,
    creates,
    provider: "describe" in provider ? sources.create(provider, { pool: name, image, ttlMs }) : provider,
    ...nodes(options.nodes === undefined ? (capacity ?? 1) : options.nodes),
    image,
    ttlMs,
    keepMs,
    functions: functions(options.functions),
    ...worker,
    defaultLimitMs:
      options.defaultComputeTimeout === undefined
        ? 300_000
        : parseDuration(options.defaultComputeTimeout, "defaultComputeTimeout"),
    retryOnInterruption: whole("retryOnInterruption", options.retryOnInterruption, 0, 250) ?? 3,
    env: environment(options.env),
    console: options.console,
    signal: aborts(options.signal),
  };
}

function nodes(given: unknown): { desired: number; min: number } {
  const count = (value: unknown): value is number =>
    Number.isInteger(value) && (value as number) >= 1 && (value as number) <= 10_000;
  if (count(given)) return { desired: given, min: given };
  if (Array.isArray(given) && given.length === 2 && count(given[0]) && count(given[1]) && given[0] <= given[1])
    return { desired: given[0], min: given[0] };
  if (typeof given === "object" && given !== null && !Array.isArray(given)) {
    known("nodes", given, ["desired", "min", "max"]);
    const { desired, min, max } = given as { desired?: unknown; min?: unknown; max?: unknown };
    const low = min ?? desired;
    if (count(desired) && count(low) && low <= desired && (max === undefined || (count(max) && max >= desired)))
      return { desired, min: low };
  }
  throw new SkyError("SKY_BAD_NODES", `nodes can't be ${show(given)}`);
}

function text(name: string, value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value === "string" && /^[\w.-]{1,64}$/.test(value)) return value;
  throw bad(name, "1 to 64 letters, digits, dots, dashes or underscores", value);
}

function nameIn(value: unknown): string {
  return typeof value === "function" && /^[\w$]+$/.test(value.name) ? value.name : "train";
}

function functions(value: unknown): readonly AnyFunction[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw bad("functions", `a list such as [${nameIn(value)}]`, value);
  for (const [index, one] of value.entries()) {
    if (typeof one === "function") continue;
    const name = `functions[${index}]`;
    if (isPending(one)) {
      const called = fnOf(one).name;
      throw new SkyError("SKY_BAD_OPTION", `${name} must be a function; got what calling ${called} returned`, {
        hint: `Give the function itself: functions: [${called}].`,
      });
    }
    throw bad(name, "a function of sky.fn, or a plain one", one);
  }
  return [...(value as readonly AnyFunction[])];
}

function environment(value: unknown): Readonly<Record<string, string>> {
  if (value === undefined) return {};
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw bad("env", "an object of texts", value);
  for (const [name, one] of Object.entries(value)) if (typeof one !== "string") throw bad(`env.${name}`, "a text", one);
  return { ...(value as Record<string, string>) };
}

function aborts(value: unknown): AbortSignal | undefined {
  if (value === undefined || value instanceof AbortSignal) return value;
  throw bad("signal", "an AbortSignal", value);
}
