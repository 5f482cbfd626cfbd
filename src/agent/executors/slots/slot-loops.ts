import { runInTask, setCurrentTask } from "../../../task/context.ts";
import { flushTask } from "../../../task/output.ts";
import { decode } from "../../../values/decode.ts";
import type { DecodeHooks, EncodeHooks } from "../../../values/hooks.ts";
import { Mode, Status } from "../../../wire/ops.ts";
import type { FeedEnd } from "../../../wire/stream/feed.ts";
import { isSource, type Source } from "../../../wire/stream/source.ts";
import type { Bind } from "./bind.ts";
import { RunStreams } from "./run-streams.ts";
import { itemLength } from "../../../wire/items.ts";
import { type ChunkMessage, unpackChunks } from "../chunk-message.ts";
import type { FromSlots, StopMessage } from "../messages.ts";
import { decodeLarge, LargeArguments } from "./large-arguments.ts";
import { OutcomeWriter } from "./outcome-writer.ts";
import { LATER, type SlotShare } from "../share.ts";
import { stopReason } from "./stop-reason.ts";
import { TaskRun } from "./task-run.ts";

/** A thread that has computed this long lets timers, sockets and messages in. */
const TURN_MS = 4;
/** The first outcomes of a busy time leave sooner, since somebody may be waiting for just those. */
const FIRST_MS = 0.5;
const FLUSH_BYTES = 64 * 1024;

interface Chunk {
  readonly message: ChunkMessage;
  readonly body: Buffer;
  at: number;
}

/** The slots of one thread: each an async loop that claims an item, runs it, and writes its outcome down. */
export class SlotLoops {
  readonly #share: SlotShare;
  readonly #binds: Map<number, Bind>;
  readonly #post: (message: FromSlots, transfer?: ArrayBuffer[]) => void;
  readonly #begin: ((run: TaskRun) => void) | undefined;
  readonly #single: boolean;
  readonly #outcomes = new OutcomeWriter();
  readonly streams: RunStreams;
  readonly large = new LargeArguments((id, attempt) => this.#post({ type: "fetch", id, attempt }));
  readonly #running: (TaskRun | undefined)[] = [];
  readonly #cancelled = new Set<number>();
  #chunks: Chunk[] = [];
  #active = 0;
  #turnStart = 0;
  #turn: Promise<void> | undefined;
  #flushing = false;
  #used = false;
  /** Whether outcomes have left since the thread was last idle. */
  #early = true;

  constructor(
    share: SlotShare,
    binds: Map<number, Bind>,
    single: boolean,
    post: (message: FromSlots, transfer?: ArrayBuffer[]) => void,
    begin?: (run: TaskRun) => void,
  ) {
    this.#share = share;
    this.#binds = binds;
    this.#single = single;
    this.#post = post;
    this.streams = new RunStreams(post);
    this.#begin = begin;
  }

  /** Tasks that run now, for attribution of what belongs to no async context. */
  get running(): TaskRun[] {
    return this.#running.filter((run) => run !== undefined);
  }

  add(chunks: Uint8Array): void {
    for (const message of unpackChunks(chunks)) {
      const { buffer, byteOffset, byteLength } = message.body;
      this.#share.arrived(message.word, message.count);
      this.#chunks.push({ message, body: Buffer.from(buffer, byteOffset, byteLength), at: 0 });
    }
    this.pump();
  }

  /** Starts loops while slots and items are left. */
  pump(): void {
    this.#turnStart = performance.now();
    const allowed = this.#share.allowed;
    for (let slot = 0; slot < this.#share.slots && this.#active < allowed; slot++) {
      if (this.#chunks.length === 0) break;
      if (this.#running[slot] === undefined && this.#share.wordOf(slot) < 0) void this.#loop(slot);
    }
    if (this.#active === 0) this.flush();
  }

  stop(message: StopMessage): void {
    const { first, count, reason } = message;
    const end = first + count;
    let told: unknown;
    for (const [slot, run] of this.#running.entries()) {
      if (!run || run.number < first || run.number >= end) continue;
      run.stop(reason, (told ??= stopReason(message)));
      this.streams.drop(run);
      this.#free(slot);
    }
    // Of the others only those that are still in line here: one that has ended may come back as another attempt.
    for (const { message } of this.#chunks) {
      const { first: start, word } = message;
      const from = Math.max(first, start + this.#share.claimed(word));
      const to = Math.min(end, start + this.#share.claimed(word) + this.#share.unclaimed(word));
      for (let id = from; id < to; id++) this.#cancelled.add(id);
    }
    this.pump();
  }

  flush(): void {
    if (!this.#outcomes.empty) this.#post(this.#outcomes.take());
  }

  /** Whether tasks have ended in this thread: what they left behind may still act. */
  get used(): boolean {
    return this.#used;
  }

  /** Ends a running task with an error that reached nobody, such as one thrown in a timer. */
  fail(run: TaskRun, error: unknown): void {
    if (run.stopped || this.#running[run.slot] !== run) return;
    this.#emit(run, 0, true, error);
    run.stopped = "cancelled";
    this.streams.drop(run);
    this.#free(run.slot);
    this.flush();
    this.pump();
  }

  async #loop(slot: number): Promise<void> {
    this.#active++;
    for (;;) {
      if (this.#active > this.#share.allowed) break;
      const chunk = this.#chunks[0];
      if (!chunk) break;
      const { message } = chunk;
      const bind = this.#binds.get(message.bind);
      if (!bind) {
        // All that is left of the chunk was cancelled: its function is forgotten.
        while (this.#share.claim(message.word) >= 0);
        this.#chunks.shift();
        continue;
      }
      // One item waits for its function; the others stay in line, where another thread can have them.
      if (bind.awaited && !bind.settled) break;
      const item = this.#share.claim(message.word);
      if (item === LATER) break;
      if (item < 0) {
        this.#chunks.shift();
        continue;
      }
      const id = message.first + item;
      const start = chunk.at;
      this.#skip(chunk);
      if (this.#cancelled.size > 0 && this.#cancelled.delete(id)) continue;
      const started = performance.now();
      this.#share.begin(slot, message.word, item, performance.timeOrigin + started);
      this.#share.tick();
      const run = new TaskRun(id, message.attempt, slot, message.word, bind.stdout, bind.stderr, this.#progress);
      this.#running[slot] = run;
      this.#begin?.(run);
      let value: unknown;
      let threw = false;
      let streamed: number | undefined;
      try {
        // The item is claimed before its function is loaded, so that limits and cancels reach it then too.
        if (!bind.settled) {
          bind.awaited = true;
          await bind.loaded;
          queueMicrotask(() => this.pump());
        }
        if (run.stopped) return this.#leave(run);
        if (bind.failure) throw bind.failure.error;
        let args: unknown[];
        if (message.mode >= Mode.LARGE_ARGUMENTS) {
          const parts = await this.large.fetch(id, message.attempt);
          if (run.stopped) return this.#leave(run);
          const large = await decodeLarge(parts, bind.hooks?.decode);
          if (run.stopped) return this.#leave(run);
          args = message.mode === Mode.LARGE_ITEM ? [large] : (large as unknown[]);
        } else args = this.#arguments(run, chunk, start, bind.hooks?.decode);
        const body = bind.body!;
        value = this.#single ? callSingle(run, body, args) : runInTask(run, () => body(...args));
        if (isThenable(value)) {
          value = await value;
          if (run.stopped) return this.#leave(run);
        }
        if (isSource(value)) {
          const end = await this.#stream(run, message.bind, bind, value);
          if (run.stopped) return this.#leave(run);
          threw = end.threw;
          streamed = end.untold ? Status.STREAM_FAILED : threw ? Status.STREAM_THREW : Status.STREAMED;
          value = end.error;
        }
      } catch (error) {
        if (run.stopped) return this.#leave(run);
        threw = true;
        value = error;
      }
      const ended = performance.now();
      this.#share.tick();
      this.#used = true;
      flushTask(run);
      if (this.streams.size > 0) this.streams.forget(run);
      this.#emit(run, (ended - started) * 1000, threw, value, bind.hooks?.encode, ended, streamed);
      this.#running[slot] = undefined;
      this.#share.end(slot);
      if (this.#outcomes.out.pos > FLUSH_BYTES) this.flush();
      if (this.#early && ended - this.#turnStart > FIRST_MS) {
        this.#early = false;
        this.flush();
      }
      if (ended - this.#turnStart > TURN_MS) {
        this.flush();
        await this.#nextTurn();
      }
    }
    this.#active--;
    if (this.#active === 0) {
      this.#early = true;
      if (this.#single) setCurrentTask(undefined);
      this.flush();
    } else this.#flushSoon();
  }

  /** Sends what a body's stream gives, in the context of its task. */
  #stream(run: TaskRun, id: number, bind: Bind, source: Source): Promise<FeedEnd> {
    if (!bind.streams) {
      bind.streams = true;
      this.#post({ type: "streams", bind: id });
    }
    const send = (): Promise<FeedEnd> => this.streams.result(run, source, bind.hooks);
    return this.#single ? send() : runInTask(run, send);
  }

  #emit(
    run: TaskRun,
    elapsedUs: number,
    threw: boolean,
    value: unknown,
    hooks?: EncodeHooks,
    ended = performance.now(),
    streamed?: number,
  ): void {
    const large = this.#outcomes.add(
      run.number,
      run.attempt,
      run.word,
      elapsedUs,
      threw,
      value,
      hooks,
      ended,
      streamed,
    );
    if (large) {
      this.flush();
      const { value: bytes, externals } = large;
      const status = bytes[0] === Status.RETURNED ? Status.RETURNED : Status.THREW;
      this.#post(
        { type: "bulk", id: run.number, attempt: run.attempt, status, elapsedUs, value: bytes, externals },
        [bytes, ...externals].map((part) => part.buffer as ArrayBuffer),
      );
    } else this.#flushSoon();
  }

  /** Gives a slot back while its body may still run. */
  #free(slot: number): void {
    this.#running[slot] = undefined;
    this.#share.end(slot);
    this.#share.abandon(1);
    this.#active--;
    if (this.#active === 0) this.flush();
  }

  /** A body that was given up has ended. */
  #leave(run: TaskRun): void {
    flushTask(run);
    if (this.streams.size > 0) this.streams.forget(run);
    this.#share.abandon(-1);
    this.#post({ type: "left" });
  }

  #skip(chunk: Chunk): void {
    if (chunk.message.mode >= Mode.BULK_ARGUMENTS) return;
    const { length, start } = itemLength(chunk.body, chunk.at);
    chunk.at = start + length;
  }

  #arguments(run: TaskRun, { message: { mode }, body }: Chunk, at: number, hooks: DecodeHooks | undefined): unknown[] {
    if (mode === Mode.STREAMS) {
      const from = 1 + body[0]!;
      const args = decode(body, from, body.length, hooks) as unknown[];
      for (const position of body.subarray(1, from)) args[position] = this.streams.argument(run, position, hooks);
      return args;
    }
    if (mode >= Mode.BULK_ARGUMENTS) {
      const value = decode(body, 0, body.length, hooks);
      return mode === Mode.BULK_ITEM ? [value] : (value as unknown[]);
    }
    const { length, start } = itemLength(body, at);
    if (mode === Mode.ITEM) return [length === 0 ? undefined : decode(body, start, start + length, hooks)];
    return length === 0 ? [] : (decode(body, start, start + length, hooks) as unknown[]);
  }

  #progress = (id: number, done: number, of: number): void => this.#post({ type: "progress", id, done, of });

  #flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    setImmediate(() => {
      this.#flushing = false;
      this.flush();
    });
  }

  #nextTurn(): Promise<void> {
    this.#turn ??= new Promise((resolve) =>
      setImmediate(() => {
        this.#turn = undefined;
        this.#turnStart = performance.now();
        resolve();
      }),
    );
    return this.#turn;
  }
}

function callSingle(run: TaskRun, body: (...args: unknown[]) => unknown, args: unknown[]): unknown {
  setCurrentTask(run);
  return body(...args);
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    (typeof value === "object" || typeof value === "function") &&
    value !== null &&
    typeof (value as { then?: unknown }).then === "function"
  );
}
