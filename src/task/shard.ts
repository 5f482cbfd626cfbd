import { didYouMean } from "../errors/nearest.ts";
import { SkyError } from "../errors/sky-error.ts";
import { instanceInfo } from "./instance-info.ts";
import { permutation } from "./random.ts";
import { type Indices, pick, type Picked, sequenceOf, type Shardable } from "./sequence.ts";

export type { Shardable } from "./sequence.ts";

export interface ShardOptions {
  /** Whether items are dealt in random order, the same one on all nodes. @default false */
  readonly shuffle?: boolean;
  /** Seed of that order: a whole number. @default 0 */
  readonly seed?: number;
  /** Whether all shards get equally many items, in one block each, and the rest is left out. @default false */
  readonly dropLast?: boolean;
  /** Which shard. @default this node's rank */
  readonly node?: number;
  /** Of how many. @default the pool's number of nodes */
  readonly totalNodes?: number;
}

/** What a shard of `T` is: an array of its items, the same typed array, a string. */
export type Shard<T> = Picked<T>;

const NAMES = ["shuffle", "seed", "dropLast", "node", "totalNodes"] as const;

/**
 * This node's part of the data. The parts of all nodes are disjoint and, unless `dropLast` is set, cover everything.
 * One input gives its shard; several inputs of one length give a tuple of shards with the same indices.
 *
 * Items are dealt like cards (node, node + totalNodes, ...); with `dropLast` each node gets one block.
 * Arrays and tuples give arrays, typed arrays and Buffers their own kind (a copy), strings a string by code points,
 * anything else with a `length` and indices an array.
 *
 * ```ts
 * const mine = sky.shard(rows, { shuffle: true, seed: 42 });
 * const [x, y] = sky.shard(xTrain, yTrain);
 * ```
 * @throws SkyError SKY_BAD_OPTION for inputs of different lengths, no input, or a bad option; SKY_NOT_IN_TASK outside
 * a pool, unless both `node` and `totalNodes` are given
 */
export function shard<T extends Shardable>(data: T, options?: ShardOptions): Shard<T>;
export function shard<D extends readonly [Shardable, Shardable, ...Shardable[]]>(
  ...data: D
): { -readonly [K in keyof D]: Shard<D[K]> };
export function shard<D extends readonly [Shardable, Shardable, ...Shardable[]]>(
  ...args: [...data: D, options: ShardOptions | undefined]
): { -readonly [K in keyof D]: Shard<D[K]> };
export function shard(...args: readonly unknown[]): unknown {
  const last = args.at(-1);
  const withOptions = args.length > 1 && (last === undefined || isOptions(last));
  const options = check(withOptions ? ((last ?? {}) as Record<string, unknown>) : {});
  const inputs = (withOptions ? args.slice(0, -1) : args).map(sequenceOf);
  const [first] = inputs;
  if (first === undefined) throw bad("sky.shard takes at least one input.", "Write sky.shard(rows).");
  if (inputs.some((input) => input.length !== first.length)) {
    const lengths = inputs.map((input) => input.length).join(", ");
    throw bad(
      `The inputs of sky.shard have different lengths: ${lengths}.`,
      "Aligned inputs need the same length; shard others one by one.",
    );
  }
  const indices = dealt(first.length, options);
  const shards = inputs.map((input) => pick(input, indices));
  return shards.length === 1 ? shards[0] : shards;
}

function dealt(length: number, options: Required<ShardOptions>): Indices {
  const { node, totalNodes } = options;
  if (options.shuffle && length > 0xffff_ffff) throw bad("sky.shard can't shuffle more than 2^32 items.");
  const order = options.shuffle ? permutation(length, options.seed) : undefined;
  if (options.dropLast) {
    const count = Math.floor(length / totalNodes);
    return { count, start: node * count, step: 1, order };
  }
  return { count: Math.max(0, Math.ceil((length - node) / totalNodes)), start: node, step: totalNodes, order };
}

/** A plain object without a length: data has one. */
function isOptions(value: unknown): boolean {
  if (typeof value !== "object" || value === null || "length" in value) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype || Object.getPrototypeOf(prototype) === null;
}

function check(given: Readonly<Record<string, unknown>>): Required<ShardOptions> {
  for (const name of Object.keys(given)) {
    if ((NAMES as readonly string[]).includes(name)) continue;
    throw bad(`sky.shard has no option "${name}"${didYouMean(name, NAMES) || `; there are ${NAMES.join(", ")}.`}`);
  }
  const { shuffle = false, seed = 0, dropLast = false } = given;
  if (typeof shuffle !== "boolean") throw bad("shuffle must be true or false.");
  if (typeof dropLast !== "boolean") throw bad("dropLast must be true or false.");
  if (!Number.isSafeInteger(seed)) throw bad("seed must be a whole number.");
  const totalNodes = given["totalNodes"] ?? instanceInfo().totalNodes;
  const node = given["node"] ?? instanceInfo().node;
  if (!isCount(totalNodes) || totalNodes < 1) throw bad("totalNodes must be a whole number of at least 1.");
  if (!isCount(node) || node >= totalNodes) throw bad(`node must be a whole number from 0 to ${totalNodes - 1}.`);
  return { shuffle, seed: seed as number, dropLast, node, totalNodes };
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function bad(message: string, hint?: string): SkyError {
  return new SkyError("SKY_BAD_OPTION", message, hint === undefined ? {} : { hint });
}
