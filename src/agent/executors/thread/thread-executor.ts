import type { InstanceFacts } from "../../../task/instance-info.ts";
import { Op } from "../../../wire/ops.ts";
import { BlockWatch } from "./block-watch.ts";
import type { Chunk, Work } from "./chunk.ts";
import { Limits } from "./limits.ts";
import type { BindMessage, FromThread } from "./messages.ts";
import { donor, leftOf, least, split } from "./share-out.ts";
import { Thread } from "./thread.ts";

/** Tasks of one arrival that take less than this together stay on one thread: waking another costs more. */
const SPLIT_MS = 0.5;

export interface HostBind extends BindMessage {
  /** Run limit of one task, ms; 0 for none. */
  readonly limitMs: number;
}

/** What the executor tells the host. */
export interface ExecutorEvents {
  /** OUTCOMES records, whole, whose items all count. */
  outcomes(records: Uint8Array): void;
  bulkOutcome(id: number, attempt: number, status: number, elapsedUs: number, value: Uint8Array): void;
  /** The run limit passed; the task is being stopped. */
  timedOut(id: number, attempt: number, limitMs: number): void;
  cancelled(id: number, attempt: number): void;
  /** Tasks that had started on a thread that is gone. */
  lost(
    tasks: readonly { id: number; attempt: number }[],
    detail: string,
    culprit: number | undefined,
    innocent: boolean,
  ): void;
  line(id: number, stream: "stdout" | "stderr", text: string): void;
  progress(id: number, done: number, of: number): void;
  /** A thread did not even terminate: only the end of the process helps. */
  stuck(culprit: number): void;
}

export interface ThreadExecutorOptions {
  readonly file: string;
  /** Tasks at a time. */
  readonly concurrency: number;
  readonly cores: number;
  readonly graceMs: number;
  readonly info: InstanceFacts;
}

/** Runs tasks on worker threads: slots spread over `min(concurrency, cores)` of them, more while some are blocked. */
export class ThreadExecutor {
  readonly #options: ThreadExecutorOptions;
  readonly #events: ExecutorEvents;
  readonly #threads = new Set<Thread>();
  readonly #binds = new Map<number, HostBind>();
  readonly #itemMs = new Map<number, number>();
  readonly #limits: Limits;
  readonly #blocks: BlockWatch;
  readonly #culprits = new Map<Thread, number>();
  /** Threads that are ended for an error which nobody can be blamed for. */
  readonly #escaped = new Map<Thread, string>();
  #info: InstanceFacts;
  #waiting: Work[] = [];
  #closing = false;
  /** Slots of blocked threads are with stand-ins. */
  #lent = false;

  constructor(options: ThreadExecutorOptions, events: ExecutorEvents) {
    this.#options = options;
    this.#events = events;
    this.#info = options.info;
    this.#limits = new Limits(this.#threads, (bind) => this.#binds.get(bind)?.limitMs ?? 0, options.graceMs, {
      expired: (thread, chunk, item, limitMs) => this.#expired(thread, chunk, item, limitMs),
      terminate: (thread, culprit) => this.#terminate(thread, culprit),
      retire: (thread, culprit) => this.#retire(thread, culprit),
    });
    this.#blocks = new BlockWatch(this.#threads, {
      spread: () => this.#balance(),
      blocked: (waiting) => this.#addThreads(waiting),
    });
  }

  /** Starts the threads; work may come before. */
  open(): void {
    const { concurrency, cores } = this.#options;
    const threads = Math.min(concurrency, cores);
    for (let i = 0; i < threads; i++)
      this.#start(Math.floor(((i + 1) * concurrency) / threads) - Math.floor((i * concurrency) / threads));
    this.#balance();
  }

  bind(bind: HostBind): void {
    this.#binds.set(bind.id, bind);
  }

  unbind(id: number): void {
    this.#binds.delete(id);
    for (const thread of this.#threads) thread.unbind(id);
  }

  setInfo(info: InstanceFacts): void {
    this.#info = info;
    for (const thread of this.#threads) thread.post({ type: "info", info });
  }

  /** Takes a TASKS record's work; it leaves for the threads with `send`. */
  take(work: Work): void {
    const bind = this.#binds.get(work.bind);
    if (bind && bind.limitMs > 0) this.#limits.watch(bind.limitMs);
    let threads = this.#usable();
    // Behind a blocked thread is better than nowhere: from there it can be moved, revoked and cancelled.
    if (threads.length === 0) threads = [...this.#threads].filter((thread) => !thread.retired && !thread.full);
    if (threads.length === 0) {
      this.#waiting.push(work);
      return;
    }
    const itemMs = this.#itemMs.get(work.bind);
    const together = work.count === 1 || (itemMs !== undefined && itemMs * work.count < SPLIT_MS);
    if (together) this.#put(least(threads), work);
    else this.#spread(threads, work);
  }

  send(): void {
    for (const thread of this.#threads) thread.send();
    this.#blocks.look();
  }

  /** Gives back up to `count` tasks that have not started. */
  revoke(count: number): Work[] {
    const out: Work[] = [];
    let left = count;
    for (const thread of [...this.#threads].sort((a, b) => b.unclaimed - a.unclaimed)) {
      for (const work of thread.cut(left)) {
        out.push(work);
        left -= work.count;
      }
    }
    return out;
  }

  /** Stops tasks, wherever they are; each is reported cancelled unless it has an outcome already. */
  cancel(first: number, count: number): void {
    for (const thread of this.#threads) {
      for (const chunk of [...thread.chunks.values()]) {
        const from = Math.max(first, chunk.work.first);
        const to = Math.min(first + count, chunk.work.first + chunk.count);
        if (from >= to) continue;
        // What it is to stop must be there first.
        thread.send();
        thread.post({ type: "stop", first: from, count: to - from, reason: "cancelled" });
        for (let id = from; id < to; id++) {
          if (!this.#settle(thread, chunk, id - chunk.work.first)) continue;
          this.#events.cancelled(id, chunk.work.attempt);
          this.#limits.gaveUp(thread, id);
        }
      }
    }
  }

  async close(): Promise<void> {
    this.#closing = true;
    this.#limits.dispose();
    this.#blocks.dispose();
    await Promise.all([...this.#threads].map((thread) => thread.worker.terminate()));
  }

  /** Threads that can be given work: those that turn, or if none does those that are busy. */
  #usable(): Thread[] {
    const live = [...this.#threads].filter((thread) => !thread.retired && !thread.full);
    const turning = live.filter((thread) => !thread.blocked);
    return turning.length > 0 ? turning : live;
  }

  #start(allowed: number, base = allowed): Thread {
    const { concurrency, file } = this.#options;
    const single = Math.max(allowed, base) === 1;
    const thread = new Thread(file, single ? 1 : concurrency, allowed, base, single, this.#info, {
      message: (from, message) => this.#message(from, message),
      exit: (from, code, error) => this.#exited(from, code, error),
    });
    this.#threads.add(thread);
    return thread;
  }

  #put(thread: Thread, work: Work): void {
    if (!thread.knows(work.bind)) thread.bind(this.#binds.get(work.bind)!);
    thread.take(work);
  }

  #spread(threads: Thread[], work: Work): void {
    const slots = threads.reduce((sum, thread) => sum + thread.share.allowed, 0);
    const parts = split(
      work,
      threads.map((thread) => thread.share.allowed / slots),
    );
    const order = [...threads].sort((a, b) => a.open / a.share.allowed - b.open / b.share.allowed);
    parts.forEach((part, index) => this.#put(order[index]!, part));
  }

  #message(thread: Thread, message: FromThread): void {
    if (message instanceof Uint8Array) {
      this.#outcomes(thread, Buffer.from(message.buffer, message.byteOffset, message.byteLength));
      return this.#balance();
    }
    switch (message.type) {
      case "bulk": {
        const chunk = find(thread, message.id, message.attempt);
        if (chunk && this.#settle(thread, chunk, message.id - chunk.work.first))
          this.#events.bulkOutcome(message.id, message.attempt, message.status, message.elapsedUs, message.value);
        return this.#balance();
      }
      case "line":
        return this.#events.line(message.id, message.stream, message.text);
      case "progress":
        return this.#events.progress(message.id, message.done, message.of);
      case "pong":
        if (message.id === thread.pingId) thread.pinged = 0;
        thread.blocked = false;
        this.#giveSlotsBack();
        return this.#balance();
      case "escaped":
        this.#escaped.set(thread, message.text);
        return void thread.worker.terminate();
      case "ready":
        thread.ready = true;
        return;
    }
  }

  /** Walks the records of one message and passes on those whose tasks had no outcome before. */
  #outcomes(thread: Thread, records: Buffer): void {
    let passed = 0;
    let at = 0;
    let clean = true;
    while (at < records.length) {
      const end = at + 5 + records.readUInt32LE(at + 1);
      const first = records.readUInt32LE(at + 5) + records.readUInt16LE(at + 9) * 0x1_0000_0000;
      const count = records.readUInt16LE(at + 12);
      const chunk = records[at] === Op.OUTCOMES ? find(thread, first, records[at + 11]!) : undefined;
      const item = chunk ? first - chunk.work.first : 0;
      if (chunk?.endRun(item, count)) thread.open -= count;
      else if (!chunk || !this.#endEach(thread, chunk, item, count)) {
        if (passed < at) this.#events.outcomes(records.subarray(passed, at));
        passed = end;
        clean = false;
      }
      if (chunk) {
        this.#measure(chunk.work.bind, records.readUInt32LE(at + 14) / 1000 / Math.max(1, count));
        if (chunk.finished) thread.release(chunk);
      }
      at = end;
    }
    if (clean) this.#events.outcomes(records);
    else if (passed < at) this.#events.outcomes(records.subarray(passed, at));
  }

  /** False when an item had its outcome already, as after a time limit; a record then has one item, or is all late. */
  #endEach(thread: Thread, chunk: Chunk, item: number, count: number): boolean {
    let fresh = 0;
    for (let i = item; i < item + count; i++) if (chunk.end(i)) fresh++;
    thread.open -= fresh;
    return fresh > 0;
  }

  #settle(thread: Thread, chunk: Chunk, item: number): boolean {
    if (!chunk.end(item)) return false;
    thread.open--;
    if (chunk.finished) thread.release(chunk);
    return true;
  }

  #measure(bind: number, itemMs: number): void {
    const before = this.#itemMs.get(bind);
    this.#itemMs.set(bind, before === undefined ? itemMs : before * 0.7 + itemMs * 0.3);
  }

  /** Gives idle threads the tails of busy ones. */
  #balance(): void {
    for (const thread of this.#threads) if (thread.retired && thread.open === 0) void thread.worker.terminate();
    if (this.#lent) this.#giveSlotsBack();
    if (this.#waiting.length > 0 && this.#usable().length > 0) {
      for (const work of this.#waiting.splice(0)) this.take(work);
      for (const thread of this.#threads) thread.send();
    }
    const idle = this.#usable().filter((thread) => !thread.blocked && thread.open < thread.share.allowed);
    for (const thread of idle) {
      const found = donor(this.#threads, thread);
      if (!found) return;
      for (const work of found.from.cut(found.count)) this.#put(thread, work);
      thread.send();
    }
  }

  /** Threads for work that waits behind blocked ones, within the node's slots. */
  #addThreads(waiting: number): void {
    let held = 0;
    for (const thread of this.#threads) {
      // A blocked thread keeps the slots that it uses; the others are free for somebody else.
      if (thread.blocked && !thread.retired) thread.share.allowed = Math.max(1, thread.share.busy);
      if (!thread.retired) held += thread.share.allowed;
    }
    const add = Math.min(waiting, this.#options.concurrency - held);
    for (let i = 0; i < add; i++) this.#start(1, 0);
    if (add > 0) this.#lent = true;
    this.#balance();
  }

  /** A thread that turns again gets its slots back, those of idle stand-ins first. */
  #giveSlotsBack(): void {
    for (const thread of this.#threads) {
      let wanted = thread.base - thread.share.allowed;
      if (wanted <= 0 || thread.blocked || thread.retired) continue;
      for (const other of this.#threads) {
        if (wanted <= 0) break;
        if (other.base > 0 || other.open > 0 || other.retired) continue;
        other.retired = true;
        void other.worker.terminate();
        wanted -= other.share.allowed;
      }
      let held = 0;
      for (const other of this.#threads) if (!other.retired) held += other.share.allowed;
      const more = Math.min(thread.base - thread.share.allowed, this.#options.concurrency - held);
      if (more <= 0) continue;
      thread.share.allowed += more;
      thread.post({ type: "slots" });
    }
  }

  #expired(thread: Thread, chunk: Chunk, item: number, limitMs: number): void {
    const id = chunk.work.first + item;
    thread.post({ type: "stop", first: id, count: 1, reason: "timeout" });
    if (!this.#settle(thread, chunk, item)) return;
    this.#limits.gaveUp(thread, id);
    this.#events.timedOut(id, chunk.work.attempt, limitMs);
  }

  #retire(thread: Thread, culprit: number): void {
    if (thread.retired) return;
    thread.retired = true;
    this.#culprits.set(thread, culprit);
    this.#start(thread.share.allowed, thread.base);
    this.#balance();
    if (thread.open === 0) void thread.worker.terminate();
  }

  #terminate(thread: Thread, culprit: number): void {
    this.#culprits.set(thread, culprit);
    const late = setTimeout(() => this.#events.stuck(culprit), 1000);
    void thread.worker.terminate().finally(() => clearTimeout(late));
  }

  #exited(thread: Thread, code: number, error: Error | undefined): void {
    this.#threads.delete(thread);
    if (this.#closing) return;
    const culprit = this.#culprits.get(thread);
    this.#culprits.delete(thread);
    if (!thread.retired) this.#start(thread.share.allowed, thread.base);
    const { started, unstarted } = leftOf(thread);
    const escaped = this.#escaped.get(thread);
    this.#escaped.delete(thread);
    if (started.length > 0)
      this.#events.lost(started, reasonOf(culprit, escaped, code, error), culprit, escaped !== undefined);
    const works = [...this.#waiting, ...unstarted];
    this.#waiting = [];
    for (const work of works) this.take(work);
    this.send();
  }
}

/** The late answer of an earlier attempt must not end a later one. */
function find(thread: Thread, id: number, attempt: number): Chunk | undefined {
  for (const chunk of thread.chunks.values()) if (chunk.work.attempt === attempt && chunk.has(id)) return chunk;
  return undefined;
}

/** Why a thread's tasks are lost, in words. */
function reasonOf(
  culprit: number | undefined,
  escaped: string | undefined,
  code: number,
  error: Error | undefined,
): string {
  if (culprit !== undefined) return "its thread was ended because of another task";
  if (escaped !== undefined) return `its thread was ended for an error that escaped it or a task before it: ${escaped}`;
  return error ? `its thread ended: ${error.message}` : `its thread ended with code ${code}`;
}
