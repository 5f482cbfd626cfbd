import type { SkyError } from "../../errors/sky-error.ts";
import type { Range } from "../core/ranges.ts";
import { Scheduler } from "../core/scheduler.ts";
import type { AnyFn } from "../../function/brand.ts";
import type { ResolvedOptions } from "../../function/options.ts";
import { encodeReason } from "../../wire/cancel-reason.ts";
import type { LostRecord } from "../../wire/records.ts";
import { type Bind, BindTable } from "./bind.ts";
import { Deadlines } from "./deadlines.ts";
import type { DispatcherOptions } from "./dispatcher-options.ts";
import { eachOutcome } from "./outcomes.ts";
import { failureOf } from "./failure.ts";
import type { Loss } from "./loss.ts";
import { Losses } from "./losses.ts";
import { Measures } from "./measures.ts";
import type { NodePort } from "./node-port.ts";
import { attribute, lostError, Retries } from "./retries.ts";
import { Installs } from "./installs.ts";
import { type Held, Unprepared } from "./unprepared.ts";
import { Arrived } from "../results/arrived.ts";
import { isCached } from "../results/is-cached.ts";
import { ResultCache } from "../results/result-cache.ts";
import { holdsMuch } from "./holds-much.ts";
import { sendGiven } from "./send-given.ts";
import { Segment, type SegmentOptions, State } from "./segment.ts";
import { SharedValues } from "./shared-values.ts";
import type { Sources } from "./sources.ts";
import { Streams } from "./streams.ts";
import { SegmentTable } from "./segment-table.ts";

/** The shell around the scheduler: gives it what happened, and carries out what it says, one write per node and tick. */
export class Dispatcher {
  readonly scheduler = new Scheduler();
  /** What several tasks use. */
  readonly values = new SharedValues((share) => {
    for (const port of this.#ports.values()) port.unshare(share);
  });
  readonly #options: DispatcherOptions;
  readonly #binds: BindTable;
  readonly #segments = new SegmentTable();
  readonly #retries: Retries;
  readonly #losses: Losses;
  readonly #results: ResultCache;
  readonly #deadlines: Deadlines;
  readonly #installs: Installs;
  readonly #unprepared = new Unprepared(
    (bind) => this.#installs.prepare(bind),
    (held, failure) => this.#prepared(held, failure),
  );
  readonly #ports = new Map<number, NodePort>();
  readonly #measures = new Measures(this.scheduler);
  readonly streams = new Streams(this.#segments, this.#measures, () => this.schedule());
  readonly #abandoned = new Map<number, SkyError>();
  readonly counts = { queued: 0, done: 0, failed: 0, cancelled: 0, perNode: [] as number[] };
  /** Called before a tick's work leaves. */
  onFlush: (() => void) | undefined;
  #nextId = 1;
  #nextQueue = 1;
  #scheduled = false;
  #closed: SkyError | undefined;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.scheduler.buffer = options.buffer;
    const { now, retryOnInterruption, events, refusal, defaultLimitMs, listed } = options;
    const retired = (bind: Bind): void => this.#forgetUnused(bind);
    this.#binds = new BindTable({ defaultLimitMs, listed, retired, refusal });
    this.#retries = new Retries({
      scheduler: this.scheduler,
      retryOnInterruption,
      events,
      now,
      queued: () => this.schedule(),
    });
    const [ports, segments, scheduler] = [this.#ports, this.#segments, this.scheduler];
    this.#losses = new Losses({
      scheduler,
      segments,
      retries: this.#retries,
      final: (id) => (this.#closed ? "" : this.streams.spent(id)),
      failed: (segment, index, error) => this.#settle(segment, index, State.FAILED, error, Number.NaN),
    });
    this.#results = new ResultCache({
      missed: (segment, index, count) => {
        this.#line(segment, index, count);
        this.schedule();
      },
      settled: (segment, index, state, value) => this.#settle(segment, index, state, value, Number.NaN),
      told: (name, count) => events.cached(name, count),
      problem: (message) => events.problem(message),
    });
    this.#deadlines = new Deadlines(this.#segments, now, (segment, index, error) => {
      this.scheduler.cancel(segment.queue, segment.first + index, 1);
      this.#settle(segment, index, State.FAILED, error, Number.NaN);
    });
    const fail = (segment: Segment, error: SkyError): void => this.#failAll(segment, error);
    const schedule = (): void => this.schedule();
    this.#installs = new Installs({ scheduler, ports, segments, now, schedule, fail, refusal });
    this.scheduler.openQueue(0);
  }

  get closed(): SkyError | undefined {
    return this.#closed;
  }

  /** Milliseconds since the pool began. */
  now(): number {
    return this.#options.now();
  }

  /** Why tasks wait, in words; undefined when none does. */
  explain(): string | undefined {
    return this.scheduler.explain() ?? this.#retries.explain();
  }

  /** The same without a time that passes, for those who look at it later. */
  reason(): string | undefined {
    return this.scheduler.explain() ?? this.#retries.reason();
  }

  bind(fn: AnyFn, options: ResolvedOptions, args: unknown, held?: Bind): Bind {
    return this.#binds.of(fn, options, args, held);
  }

  /** A queue of the scheduler for one call's tasks. */
  openQueue(target: number, ahead: boolean): number {
    const queue = this.#nextQueue++;
    this.scheduler.openQueue(queue, target, ahead);
    return queue;
  }

  /** Makes a segment; add its tasks, then `enqueue` them. Without `reserve` it takes ids as tasks are added. */
  segment(options: SegmentOptions, reserve = 0): Segment {
    const segment = new Segment(this.#nextId, this.#options.now(), this.values, options);
    this.#nextId += reserve;
    this.#segments.add(segment);
    return segment;
  }

  /** How many items should be at hand for a call that pulls them. */
  window(): number {
    return holdsMuch(this.#segments) ? 1 : this.scheduler.window();
  }

  /** Adds a task to a segment without reserved ids; only while `isOpen`. */
  add(segment: Segment, value: unknown, sources?: Sources): number {
    const index = segment.add(value, sources);
    this.#nextId++;
    return index;
  }

  /** Whether tasks may still be added: the ids after its own are not taken yet. */
  isOpen(segment: Segment): boolean {
    return !segment.sealed && this.#nextId === segment.first + segment.count;
  }

  /** No more tasks will be added. */
  seal(segment: Segment): void {
    segment.sealed = true;
    if (segment.done) this.#finish(segment);
  }

  enqueue(segment: Segment, index: number, count: number): void {
    this.counts.queued += count;
    this.#deadlines.watch(segment);
    if (isCached(segment)) this.#results.ask(segment, index, count);
    else this.#line(segment, index, count);
    this.schedule();
  }

  /** Puts tasks into their queue, or before it while their code is not known. */
  #line(segment: Segment, index: number, count: number): void {
    const { code } = segment.bind;
    const gone = this.#abandoned.get(segment.target) ?? this.#installs.failure(code, segment.target);
    if (gone) return void process.nextTick(() => this.#failAll(segment, gone));
    if (code.artifact && this.#installs.has(code) && !this.#unprepared.holds(code))
      this.scheduler.enqueue(segment.queue, segment.bind.group, segment.first + index, count);
    else this.#unprepared.hold(segment, index, count);
  }

  /** A task that was given a place but can't be sent. */
  refuse(segment: Segment, index: number, error: unknown): void {
    this.counts.queued++;
    this.#settle(segment, index, State.FAILED, error, Number.NaN);
  }

  schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    process.nextTick(this.flush);
  }

  flush = (): void => {
    this.#scheduled = false;
    this.onFlush?.();
    this.#options.beforeWork();
    const dirty = new Set<NodePort>();
    for (const given of this.scheduler.assign()) {
      const port = this.#ports.get(given.rank)!;
      dirty.add(port);
      sendGiven(port, given, this.#segments, this.scheduler, this.#options.now());
    }
    for (const { rank, count } of this.scheduler.revoke()) {
      const port = this.#ports.get(rank)!;
      port.revoke(count);
      dirty.add(port);
    }
    for (const port of dirty) port.flush();
    this.#options.events.changed();
  };

  nodeUp(port: NodePort, slots: number, roundTripMs: number): void {
    this.#ports.set(port.rank, port);
    this.scheduler.nodeUp(port.rank, slots, roundTripMs);
    this.#installs.up(port);
    this.schedule();
  }

  /** The node, or its host, is gone with all that it had. */
  nodeDown(rank: number, loss: Loss): void {
    const port = this.#ports.get(rank);
    this.#ports.delete(rank);
    if (port) this.#installs.down(port);
    this.#losses.nodeDown(rank, loss);
    this.streams.nodeDown(rank, (segment, index) => lostError(segment, index, rank, loss));
    this.schedule();
  }

  outcomes(port: NodePort, buf: Buffer, start: number, end: number): void {
    const now = this.#options.now();
    const { first, attempt, count, elapsedUs, endedMs, spanUs, items } = eachOutcome(buf, start, end);
    const segment = this.#segments.find(first);
    const pieces = this.scheduler.ended(port.rank, first, count);
    if (elapsedUs > 0 && count > 0 && segment) this.#measures.add(segment.bind.group, elapsedUs / 1000 / count);
    if (!segment) return void this.schedule();
    const ranUs = elapsedUs / count;
    // The last one's end by our clock; those of one record are spread evenly over the time between their ends.
    const ended = endedMs - port.clock.aheadMs - this.#options.epochMs;
    const lastEnd = ended <= now ? ended : now;
    const stepMs = count > 1 ? spanUs / 1000 / (count - 1) : 0;
    const offset = first - segment.first;
    let piece = 0;
    const arrived = isCached(segment) ? new Arrived(offset) : undefined;
    items(
      port,
      segment.bind.code,
      (item, threw, value, streamed) => {
        const index = offset + item;
        // Only what this node was given counts.
        while (piece < pieces.length && first + item >= pieces[piece]!.first + pieces[piece]!.count) piece++;
        if (piece === pieces.length || first + item < pieces[piece]!.first) return;
        if (segment.state(index) >= State.DONE || segment.attempt(index) !== attempt) return;
        const endedAt = lastEnd - stepMs * (count - 1 - item);
        if (streamed !== undefined) this.streams.bodyOver(port, segment, index, streamed);
        if (!threw) return this.#settle(segment, index, State.DONE, value, ranUs, now, endedAt);
        if (this.#tryAgain(segment, index, port.rank, value, ranUs, endedAt, pieces)) return;
        attribute(value, segment, index, port.rank);
        if (streamed !== undefined) this.streams.failed(port, segment, index, value);
        this.#settle(segment, index, State.FAILED, value, ranUs, now, endedAt);
      },
      arrived?.add,
    );
    // Whoever waits for them sees them when this has returned: what was seen is kept.
    if (arrived) this.#results.keep(segment, arrived);
    this.schedule();
  }

  /** The rank will not come back: what only it may run fails, now and later. */
  abandon(rank: number, reason: SkyError): void {
    this.#abandoned.set(rank, reason);
    for (const segment of this.#segments) if (segment.target === rank) this.#failAll(segment, reason);
  }

  revoked(port: NodePort, ranges: readonly { first: number; count: number }[]): void {
    for (const { first, count } of [...ranges].reverse()) {
      for (const piece of this.scheduler.ended(port.rank, first, count).reverse()) this.#putBack(piece);
    }
    this.scheduler.revoked(port.rank);
    this.schedule();
  }

  lost(port: NodePort, record: LostRecord): void {
    this.#losses.reported(port.rank, record);
    this.schedule();
  }

  /** Where a live task stands. */
  segmentOf(id: number): Segment | undefined {
    return this.#segments.find(id);
  }

  /** @param told what the signals of those that run fire with, where somebody gave a reason */
  cancel(segment: Segment, index: number, count: number, reason: SkyError, told?: unknown): void {
    const { running } = this.scheduler.cancel(segment.queue, segment.first + index, count);
    const why = told === undefined || running.length === 0 ? undefined : encodeReason(told);
    for (const { rank, first, count: many } of running) {
      const port = this.#ports.get(rank);
      port?.cancel(first, many, why);
      port?.flush();
    }
    for (let i = index; i < index + count; i++) {
      if (segment.state(i) < State.DONE) this.#settle(segment, i, State.CANCELLED, reason, Number.NaN);
    }
    this.schedule();
  }

  /** Refuses what comes from now on, and ends what is there. */
  close(reason: SkyError): void {
    this.#closed = reason;
    this.#retries.dispose();
    this.#deadlines.dispose();
    this.#installs.close(reason);
    for (const segment of this.#segments) this.cancel(segment, 0, segment.count, reason, reason);
    this.streams.close(reason);
  }

  /** Lets go of files, once nothing comes any more. */
  dispose(): Promise<void> {
    return this.#results.close();
  }

  /** The files of held tasks are known, or can't be made. */
  #prepared({ segment, index, count }: Held, failure: { readonly error: unknown } | undefined): void {
    for (let i = index; i < index + count; i++) {
      if (segment.state(i) !== State.QUEUED) continue;
      if (failure) this.#settle(segment, i, State.FAILED, failure.error, Number.NaN);
      else this.scheduler.enqueue(segment.queue, segment.bind.group, segment.first + i, 1);
    }
    this.schedule();
  }

  #failAll(segment: Segment, reason: SkyError): void {
    this.scheduler.cancel(segment.queue, segment.first, segment.count);
    for (let i = 0; i < segment.count; i++)
      if (segment.state(i) < State.DONE) this.#settle(segment, i, State.FAILED, reason, Number.NaN);
  }

  #putBack(piece: Range): void {
    for (let id = piece.first + piece.count - 1; id >= piece.first; id--) {
      const segment = this.#segments.find(id);
      if (!segment || segment.state(id - segment.first) >= State.DONE) continue;
      segment.requeued(id - segment.first);
      this.scheduler.retry({ ...piece, first: id, count: 1 }, piece.attempt, piece.avoid);
    }
  }

  /** Whether a rule has a task that threw run again. */
  #tryAgain(
    segment: Segment,
    index: number,
    rank: number,
    error: unknown,
    ranUs: number,
    endedAt: number,
    pieces: readonly Range[],
  ): boolean {
    if (segment.bind.options.retry === undefined) return false;
    const id = segment.first + index;
    const range = pieces.find((piece) => id >= piece.first && id < piece.first + piece.count);
    if (!range || this.streams.spent(id) !== undefined) return false;
    const failure = failureOf(error, { node: rank, attempt: segment.attempt(index) });
    return this.#retries.again(segment, { ...range, first: id, count: 1 }, { failure, endedAt, ranMs: ranUs / 1000 });
  }

  #settle(
    segment: Segment,
    index: number,
    state: number,
    value: unknown,
    ranUs: number,
    now = this.#options.now(),
    endedAt = now,
  ): void {
    if (!segment.settle(index, state, value, now, ranUs, endedAt)) return;
    if (this.streams.size > 0) this.streams.settled(segment, index, state, value);
    this.counts.queued--;
    if (state === State.DONE) this.counts.done++;
    else if (state === State.FAILED) this.counts.failed++;
    else this.counts.cancelled++;
    const rank = segment.rank(index);
    if (rank >= 0) this.counts.perNode[rank] = (this.counts.perNode[rank] ?? 0) + 1;
    this.#options.events.ended(segment, index);
    if (segment.done) this.#finish(segment);
  }

  /** Forgets a segment whose tasks have all ended. */
  #finish(segment: Segment): void {
    this.#segments.remove(segment);
    segment.release();
    if (segment.ownsQueue) this.scheduler.closeQueue(segment.queue);
    segment.bind.segments--;
    if (segment.bind.retired) this.#forgetUnused(segment.bind);
  }

  #forgetUnused(bind: Bind): void {
    bind.retired = true;
    if (bind.segments === 0) for (const port of this.#ports.values()) port.forget(bind);
  }
}
