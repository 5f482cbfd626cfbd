import type { LossCause } from "../../errors/loss-cause.ts";
import { argumentHooks } from "../../function/capture/hooks.ts";
import { encode } from "../../values/encode.ts";
import type { EncodeHooks } from "../../values/hooks.ts";
import { refsExist, PutRef } from "../../function/ref.ts";
import { EXTERNAL_MIN_BYTES, takeExternals, wantExternals } from "../../values/externals.ts";
import { letGo } from "../../values/spare-memory.ts";
import { totalBytes } from "../../wire/parts.ts";
import type { SharedValue, SharedValues } from "./shared-values.ts";
import { type LargeItem, Sharing } from "./sharing.ts";
import { ByteWriter } from "../../values/byte-writer.ts";
import { beginItem, endItem, itemLength } from "../../wire/items.ts";
import { INLINE_MAX_BYTES } from "../../wire/ops.ts";
import type { Source } from "../../wire/stream/source.ts";
import { isCached } from "../results/is-cached.ts";
import { streamRefused } from "../results/stream-refused.ts";
import type { Bind } from "./bind.ts";
import { encodeSources, type Sources } from "./sources.ts";

export const State = { QUEUED: 0, RUNNING: 1, DONE: 2, FAILED: 3, CANCELLED: 4 } as const;

/** Items that are encoded when they leave are small, so that this many fit a frame. */
const ITEMS_PER_RECORD = 16_384;

/** Of a task that was cancelled or lost nobody knows how long it ran. */
const UNKNOWN = 0xffff_ffff;

/** Told of each task's end, once. */
export interface SegmentSink {
  /** A task's result is a stream, which has begun: that is its result; `settled` tells of the end. */
  began(segment: Segment, index: number, stream: unknown): void;
  settled(segment: Segment, index: number, state: number, value: unknown): void;
}

export interface SegmentOptions {
  readonly sink: SegmentSink;
  readonly bind: Bind;
  /** Queue of the scheduler that the tasks stand in. */
  readonly queue: number;
  /** The only rank that may run them, or -1. */
  readonly target: number;
  /** The queue is this segment's alone and goes with it. */
  readonly ownsQueue?: boolean;
  /** Whether each item is *the* argument, or an array of arguments. */
  readonly single: boolean;
  readonly queueTimeoutMs: number;
  readonly capacity: number;
  /** What its items may have in common with others of the same call. */
  readonly sharing?: Sharing;
  /** Items that can't change any more: they are encoded when they leave. */
  readonly items?: readonly unknown[];
}

/** How far a task is: so many parts are done, of so many where that is known. */
export interface TaskProgress {
  readonly done: number;
  readonly of?: number;
}

/**
 * Tasks of one function with consecutive ids: their encoded arguments, side by side in one buffer, and what became of
 * them, in typed arrays. No object per task is needed.
 */
export class Segment {
  readonly first: number;
  readonly bind: Bind;
  readonly queue: number;
  readonly target: number;
  readonly ownsQueue: boolean;
  readonly single: boolean;
  readonly queueTimeoutMs: number;
  readonly sink: SegmentSink;
  /** When the first task was queued, ms of the pool's clock. */
  readonly queuedAt: number;
  count = 0;
  settled = 0;
  /** What the last failed task failed with. */
  failure: unknown;
  /** No more tasks will be added. */
  sealed = false;
  readonly #hooks: EncodeHooks;
  readonly #items: readonly unknown[] | undefined;
  #ends: Uint32Array | undefined;
  /** Arguments that stream, by index and position; such tasks travel alone too. */
  sources: Map<number, ReadonlyMap<number, Source>> | undefined;
  readonly #values: SharedValues;
  readonly #sharing: Sharing | undefined;
  #bytes: ByteWriter | undefined;
  #big: Map<number, LargeItem> | undefined;
  #shares: Set<SharedValue> | undefined;
  #state: Uint8Array;
  #attempts: Uint8Array;
  #ranks: Int16Array;
  #sentAt: Uint32Array;
  /** Ends on the node and arrivals here, as `#sentAt` in tenths of a ms since `queuedAt`. */
  #endedAt: Uint32Array;
  #receivedAt: Uint32Array;
  #ranUs: Uint32Array;
  /** Earlier attempts, by index: only tasks that had some are here. */
  readonly history = new Map<number, AttemptRecord[]>();
  /** What bodies said of how far they are, the last of each. */
  readonly progress = new Map<number, TaskProgress>();

  constructor(first: number, now: number, values: SharedValues, options: SegmentOptions) {
    const { capacity, items } = options;
    this.#values = values;
    this.#sharing = options.sharing;
    this.first = first;
    this.queuedAt = now;
    this.bind = options.bind;
    this.#hooks = argumentHooks(options.bind.code, options.single ? "item" : "args");
    this.queue = options.queue;
    this.target = options.target;
    this.ownsQueue = options.ownsQueue ?? false;
    this.single = options.single;
    this.queueTimeoutMs = options.queueTimeoutMs;
    this.sink = options.sink;
    this.#items = items;
    if (!items) {
      this.#bytes = new ByteWriter(Math.min(64 * 1024, Math.max(64, capacity * 8)));
      this.#ends = new Uint32Array(capacity);
    }
    this.#state = new Uint8Array(capacity);
    this.#attempts = new Uint8Array(capacity);
    this.#ranks = new Int16Array(capacity);
    this.#sentAt = new Uint32Array(capacity);
    this.#endedAt = new Uint32Array(capacity);
    this.#receivedAt = new Uint32Array(capacity);
    this.#ranUs = new Uint32Array(capacity);
    if (items) this.count = items.length;
    options.bind.segments++;
  }

  get done(): boolean {
    return this.sealed && this.settled === this.count;
  }

  /** Encodes one more task's arguments; what changes afterwards does not reach it. */
  add(value: unknown, sources?: Sources): number {
    if (sources && isCached(this)) throw streamRefused(this.bind.name);
    const index = this.count;
    if (index === this.#state.length) this.#grow();
    if (sources) return this.#addSources(sources);
    const bytes = this.#bytes!;
    const at = bytes.pos;
    if (refsExist() && this.#hasRef(value)) this.#addLarge(index, this.#together(value));
    else {
      wantExternals();
      try {
        this.#encode(bytes, value);
      } catch (error) {
        bytes.pos = at;
        takeExternals();
        throw error;
      }
      const externals = takeExternals();
      if (bytes.pos - at > INLINE_MAX_BYTES + 3 || externals.length > 0) this.#large(index, value, at, externals);
    }
    this.#ends![index] = this.#bytes!.pos;
    this.count++;
    return index;
  }

  #addSources(sources: Sources): number {
    const index = this.count;
    const bytes = encodeSources(sources, argumentHooks(this.bind.code, "args"));
    this.#addLarge(index, { head: bytes, externals: [], shares: [] });
    (this.sources ??= new Map()).set(index, sources.at);
    this.addNothing();
    return index;
  }

  /** Keeps a place for a task that can't be sent. */
  addNothing(): void {
    if (this.count === this.#state.length) this.#grow();
    this.#ends![this.count] = this.#bytes!.pos;
    this.count++;
  }

  /**
   * Hands over all that makes a task's arguments differ from another's, however it travels: two calls that give the same
   * here are one and the same call to a cache.
   */
  eachArgumentBytes(index: number, each: (bytes: Uint8Array) => void): void {
    if (this.#items) {
      const out = new ByteWriter(64);
      this.#encode(out, this.#items[index]);
      return each(out.buf.subarray(0, out.pos));
    }
    const start = index === 0 ? 0 : this.#ends![index - 1]!;
    const big = this.#big?.get(index);
    if (!big) return each(this.#bytes!.buf.subarray(start, this.#ends![index]));
    for (const part of [big.head, ...big.externals, ...big.shares.flatMap((share) => share.parts)]) each(part);
  }

  /** A task's value that does not fit a record with others. */
  big(index: number): LargeItem | undefined {
    return this.#big?.get(index);
  }

  /** Bytes of large values that wait here for their tasks to end. */
  get heldBytes(): number {
    let sum = 0;
    for (const { head, externals } of this.#big?.values() ?? []) sum += head.byteLength + totalBytes(externals);
    return sum;
  }

  /** All tasks have ended: what they had in common may go. */
  release(): void {
    if (this.#shares) this.#values.drop(this.#shares);
    this.#shares = undefined;
  }

  /** How many items from `index` go into one record: as many as fit `bytes`, none that travels alone, at least one. */
  fit(index: number, count: number, bytes: number): number {
    if (this.#items) return Math.min(count, ITEMS_PER_RECORD);
    const start = index === 0 ? 0 : this.#ends![index - 1]!;
    let many = 1;
    while (many < count && this.#ends![index + many]! - start <= bytes && !this.#big?.has(index + many)) many++;
    return many;
  }

  /** Writes the items `[index, index + count)` as they go on the wire. */
  write(out: ByteWriter, index: number, count: number): void {
    if (this.#items) {
      for (let i = index; i < index + count; i++) this.#encode(out, this.#items[i]);
      return;
    }
    const start = index === 0 ? 0 : this.#ends![index - 1]!;
    out.bytes(this.#bytes!.buf.subarray(start, this.#ends![index + count - 1]));
  }

  state(index: number): number {
    return this.#state[index]!;
  }

  attempt(index: number): number {
    return this.#attempts[index]!;
  }

  rank(index: number): number {
    return this.#attempts[index] === 0 ? -1 : this.#ranks[index]!;
  }

  sent(index: number, count: number, rank: number, attempt: number, now: number): void {
    const end = index + count;
    this.#ranks.fill(rank, index, end);
    this.#attempts.fill(attempt, index, end);
    this.#sentAt.fill(deci(now - this.queuedAt), index, end);
    for (let i = index; i < end; i++) if (this.#state[i] === State.QUEUED) this.#state[i] = State.RUNNING;
  }

  requeued(index: number): void {
    this.#state[index] = State.QUEUED;
  }

  /** Notes the end of a task, on its node at `endedAt` after `ranUs`, which may be NaN; false when it had ended before. */
  settle(index: number, state: number, value: unknown, now: number, ranUs: number, endedAt: number): boolean {
    if (this.#state[index]! >= State.DONE) return false;
    // A large argument that may still be leaving stays until its segment goes.
    if (state === State.DONE || this.#attempts[index] === 0) this.#dropBig(index);
    this.#state[index] = state;
    const received = deci(now - this.queuedAt);
    this.#receivedAt[index] = received;
    // Two clocks differ by a little, whatever is done: what came first stays first.
    this.#endedAt[index] = Math.min(received, Math.max(deci(endedAt - this.queuedAt), this.#sentAt[index]!));
    this.#ranUs[index] = ranUs >= 0 ? ranUs : UNKNOWN;
    this.settled++;
    if (state === State.FAILED) this.failure = value;
    this.sink.settled(this, index, state, value);
    return true;
  }

  /** In ms of the pool's clock; undefined for what has not happened. A task that never left has neither start nor end. */
  times(index: number): SegmentTimes {
    const left = this.#attempts[index] !== 0;
    const ended = this.#state[index]! >= State.DONE;
    const at = (times: Uint32Array): number => this.queuedAt + times[index]! / 10;
    return {
      sent: left ? at(this.#sentAt) : undefined,
      ended: ended && left ? at(this.#endedAt) : undefined,
      received: ended ? at(this.#receivedAt) : undefined,
      ranMs: ended && left && this.#ranUs[index] !== UNKNOWN ? this.#ranUs[index]! / 1000 : undefined,
    };
  }

  #encode(out: ByteWriter, value: unknown): void {
    const at = beginItem(out);
    if (this.single ? value !== undefined : (value as readonly unknown[]).length > 0) encode(value, out, this.#hooks);
    endItem(out, at);
  }

  #hasRef(value: unknown): boolean {
    return this.single ? value instanceof PutRef : (value as readonly unknown[]).some((one) => one instanceof PutRef);
  }

  #together(value: unknown): LargeItem {
    return (this.#sharing ?? new Sharing([], this.#values)).encode(value, this.single, this.#hooks);
  }

  /** The item at the end of the bytes, from `at`, is to travel by itself. */
  #large(index: number, value: unknown, at: number, externals: readonly Uint8Array[]): void {
    const bytes = this.#bytes!;
    if (this.#sharing?.mayShare) {
      bytes.pos = at;
      return this.#addLarge(index, this.#together(value));
    }
    const { start } = itemLength(bytes.buf, at);
    const item = bytes.buf.subarray(start, bytes.pos);
    bytes.pos = at;
    if (item.length < EXTERNAL_MIN_BYTES)
      return this.#addLarge(index, { head: Buffer.from(item), externals, shares: [] });
    // Its buffer goes with it: a copy of the few bytes before it costs less.
    const others = new ByteWriter();
    others.bytes(bytes.buf.subarray(0, at));
    this.#bytes = others;
    this.#addLarge(index, { head: item, externals, shares: [] });
  }

  #addLarge(index: number, item: LargeItem): void {
    (this.#big ??= new Map<number, LargeItem>()).set(index, item);
    for (const share of item.shares) {
      const shares = (this.#shares ??= new Set());
      if (shares.has(share)) continue;
      shares.add(share);
      share.users++;
    }
  }

  #dropBig(index: number): void {
    const item = this.#big?.get(index);
    if (!item) return;
    letGo(item.externals);
    this.#big!.delete(index);
  }

  #grow(): void {
    const size = this.#state.length * 2;
    const more = <T extends Uint8Array | Uint32Array | Int16Array>(from: T, to: T): T => {
      to.set(from);
      return to;
    };
    this.#state = more(this.#state, new Uint8Array(size));
    this.#attempts = more(this.#attempts, new Uint8Array(size));
    this.#ranks = more(this.#ranks, new Int16Array(size));
    this.#sentAt = more(this.#sentAt, new Uint32Array(size));
    this.#endedAt = more(this.#endedAt, new Uint32Array(size));
    this.#receivedAt = more(this.#receivedAt, new Uint32Array(size));
    this.#ranUs = more(this.#ranUs, new Uint32Array(size));
    if (this.#ends) this.#ends = more(this.#ends, new Uint32Array(size));
  }
}

/** When a task began that ran so long, never before it was sent. */
export function startOf(
  sent: number | undefined,
  ended: number | undefined,
  ranMs: number | undefined,
): number | undefined {
  return ended === undefined || ranMs === undefined ? undefined : Math.max(sent ?? 0, ended - ranMs);
}

export interface SegmentTimes {
  readonly sent: number | undefined;
  readonly ended: number | undefined;
  readonly received: number | undefined;
  readonly ranMs: number | undefined;
}

/** One try of a task that was not its last. Times are ms of the pool's clock. */
export interface AttemptRecord {
  readonly attempt: number;
  readonly node: number;
  readonly reason: string;
  readonly cause: LossCause | "failed";
  /** Lost through another task's doing, or with its node. */
  readonly innocent: boolean;
  readonly sent: number;
  /** Where the node could tell. */
  readonly started: number | undefined;
  readonly ended: number;
}

function deci(ms: number): number {
  return Math.round(ms * 10);
}
