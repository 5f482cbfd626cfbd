import type { InstanceFacts } from "../../task/instance-info.ts";
import { Op } from "../../wire/ops.ts";
import { BlockWatch } from "./block-watch.ts";
import type { Chunk, Work } from "./chunk.ts";
import { Limits } from "./limits.ts";
import type { FromSlots, HostBind, StreamMessage } from "./messages.ts";
import { StreamRelay } from "./stream-relay.ts";
import { donor, leftOf, least, split } from "./share-out.ts";
import type { Carrier, CarrierEvents, CarrierOptions } from "./carrier.ts";

/** Tasks of one arrival that take less than this together stay on one carrier: waking another costs more. */
const SPLIT_MS = 0.5;

/** What the executor tells the host. */
export interface ExecutorEvents {
  /** OUTCOMES records, whole, whose items all count. */
  outcomes(records: Uint8Array): void;
  bulkOutcome(id: number, attempt: number, status: number, elapsedUs: number, value: Uint8Array): void;
  /** The run limit passed; the task is being stopped. */
  timedOut(id: number, attempt: number, limitMs: number): void;
  cancelled(id: number, attempt: number): void;
  /** Tasks that had started on a carrier that is gone. */
  lost(
    tasks: readonly { id: number; attempt: number }[],
    detail: string,
    culprit: number | undefined,
    innocent: boolean,
  ): void;
  line(id: number, stream: "stdout" | "stderr", text: string): void;
  progress(id: number, done: number, of: number): void;
  stream(message: StreamMessage): void;
  /** A carrier did not even terminate: only the end of the process helps. */
  stuck(culprit: number): void;
}

export interface ExecutorOptions {
  /** Tasks at a time. */
  readonly concurrency: number;
  /** Threads or processes at the beginning; the slots are spread over them. */
  readonly carriers: number;
  readonly start: (options: CarrierOptions, events: CarrierEvents) => Carrier;
  readonly graceMs: number;
  readonly info: InstanceFacts;
}

/** Runs tasks on carriers, threads or processes: slots spread over so many of them, more while some are blocked. */
export class Executor {
  readonly streams: StreamRelay;
  readonly #options: ExecutorOptions;
  readonly #events: ExecutorEvents;
  readonly #carriers = new Set<Carrier>();
  readonly #binds = new Map<number, HostBind>();
  readonly #itemMs = new Map<number, number>();
  readonly #limits: Limits;
  readonly #blocks: BlockWatch;
  readonly #culprits = new Map<Carrier, number>();
  /** Carriers that are ended for an error which nobody can be blamed for. */
  readonly #escaped = new Map<Carrier, string>();
  #info: InstanceFacts;
  #waiting: Work[] = [];
  #closing = false;
  /** Slots of blocked carriers are with stand-ins. */
  #lent = false;

  constructor(options: ExecutorOptions, events: ExecutorEvents) {
    this.#options = options;
    this.#events = events;
    this.#info = options.info;
    this.streams = new StreamRelay(this.#carriers, options.graceMs, (id) => this.cancel(id, 1));
    this.#limits = new Limits(
      this.#carriers,
      (work) => this.streams.limitOf(this.#binds.get(work.bind), work),
      options.graceMs,
      {
        expired: (carrier, chunk, item, limitMs) => this.#expired(carrier, chunk, item, limitMs),
        terminate: (carrier, culprit) => this.#terminate(carrier, culprit),
        retire: (carrier, culprit) => this.#retire(carrier, culprit),
      },
    );
    this.#blocks = new BlockWatch(this.#carriers, {
      spread: () => this.#balance(),
      blocked: (waiting) => this.#addCarriers(waiting),
    });
  }

  /** Starts the carriers; work may come before. */
  open(): void {
    const { concurrency, carriers } = this.#options;
    for (let i = 0; i < carriers; i++)
      this.#start(Math.floor(((i + 1) * concurrency) / carriers) - Math.floor((i * concurrency) / carriers));
    this.#balance();
  }

  bind(bind: HostBind): void {
    this.#binds.set(bind.id, bind);
  }

  unbind(id: number): void {
    this.#binds.delete(id);
    this.streams.unbind(id);
    for (const carrier of this.#carriers) carrier.unbind(id);
  }

  setInfo(info: InstanceFacts): void {
    this.#info = info;
    for (const carrier of this.#carriers) carrier.post({ type: "info", info });
  }

  /** Takes a TASKS record's work; it leaves for the carriers with `send`. */
  take(work: Work): void {
    const bind = this.#binds.get(work.bind);
    if (bind && bind.limitMs > 0) this.#limits.watch(bind.limitMs);
    let carriers = this.#usable();
    // Behind a blocked carrier is better than nowhere: from there it can be moved, revoked and cancelled.
    if (carriers.length === 0) carriers = [...this.#carriers].filter((carrier) => !carrier.retired && !carrier.full);
    if (carriers.length === 0) {
      this.#waiting.push(work);
      return;
    }
    const itemMs = this.#itemMs.get(work.bind);
    const together = work.count === 1 || (itemMs !== undefined && itemMs * work.count < SPLIT_MS);
    if (together) this.#put(least(carriers), work);
    else this.#spread(carriers, work);
  }

  send(): void {
    for (const carrier of this.#carriers) carrier.send();
    this.#blocks.look();
  }

  /** Gives back up to `count` tasks that have not started. */
  revoke(count: number): Work[] {
    const out: Work[] = [];
    let left = count;
    for (const carrier of [...this.#carriers].sort((a, b) => b.unclaimed - a.unclaimed)) {
      for (const work of carrier.cut(left)) {
        out.push(work);
        left -= work.count;
      }
    }
    return out;
  }

  /** Stops tasks, wherever they are; each is reported cancelled unless it has an outcome already. */
  cancel(first: number, count: number): void {
    for (const carrier of this.#carriers) {
      for (const chunk of [...carrier.chunks.values()]) {
        const from = Math.max(first, chunk.work.first);
        const to = Math.min(first + count, chunk.work.first + chunk.count);
        if (from >= to) continue;
        // What it is to stop must be there first.
        carrier.send();
        carrier.post({ type: "stop", first: from, count: to - from, reason: "cancelled" });
        for (let id = from; id < to; id++) {
          if (!this.#settle(carrier, chunk, id - chunk.work.first)) continue;
          this.#events.cancelled(id, chunk.work.attempt);
          this.#limits.gaveUp(carrier, id);
        }
      }
    }
  }

  async close(): Promise<void> {
    this.#closing = true;
    this.#limits.dispose();
    this.streams.dispose();
    this.#blocks.dispose();
    await Promise.all([...this.#carriers].map((carrier) => carrier.terminate()));
  }

  /** Carriers that can be given work: those that turn, or if none does those that are busy. */
  #usable(): Carrier[] {
    const live = [...this.#carriers].filter((carrier) => !carrier.retired && !carrier.full);
    const turning = live.filter((carrier) => !carrier.blocked);
    return turning.length > 0 ? turning : live;
  }

  #start(allowed: number, base = allowed): Carrier {
    const single = Math.max(allowed, base) === 1;
    const slots = single ? 1 : this.#options.concurrency;
    const carrier = this.#options.start(
      { slots, allowed, base, single, info: this.#info },
      {
        message: (from, message) => this.#message(from, message),
        exit: (from, reason) => this.#exited(from, reason),
      },
    );
    this.#carriers.add(carrier);
    return carrier;
  }

  #put(carrier: Carrier, work: Work): void {
    if (!carrier.knows(work.bind)) carrier.bind(this.#binds.get(work.bind)!);
    carrier.take(work);
  }

  #spread(carriers: Carrier[], work: Work): void {
    const slots = carriers.reduce((sum, carrier) => sum + carrier.share.allowed, 0);
    const parts = split(
      work,
      carriers.map((carrier) => carrier.share.allowed / slots),
    );
    const order = [...carriers].sort((a, b) => a.open / a.share.allowed - b.open / b.share.allowed);
    parts.forEach((part, index) => this.#put(order[index]!, part));
  }

  #message(carrier: Carrier, message: FromSlots): void {
    if (message instanceof Uint8Array) {
      this.#outcomes(carrier, Buffer.from(message.buffer, message.byteOffset, message.byteLength));
      return this.#balance();
    }
    switch (message.type) {
      case "bulk": {
        const chunk = find(carrier, message.id, message.attempt);
        if (chunk && this.#settle(carrier, chunk, message.id - chunk.work.first))
          this.#events.bulkOutcome(message.id, message.attempt, message.status, message.elapsedUs, message.value);
        return this.#balance();
      }
      case "line":
        return this.#events.line(message.id, message.stream, message.text);
      case "stream":
      case "element":
        return this.#events.stream(message);
      case "closing":
      case "streams":
        return this.streams.hear(message);
      case "progress":
        return this.#events.progress(message.id, message.done, message.of);
      case "pong":
        if (message.id === carrier.pingId) carrier.pinged = 0;
        carrier.blocked = false;
        this.#giveSlotsBack();
        return this.#balance();
      case "escaped":
        this.#escaped.set(carrier, message.text);
        return void carrier.terminate();
      case "ready":
        carrier.ready = true;
        return;
    }
  }

  /** Walks the records of one message and passes on those whose tasks had no outcome before. */
  #outcomes(carrier: Carrier, records: Buffer): void {
    let passed = 0;
    let at = 0;
    let clean = true;
    while (at < records.length) {
      const end = at + 5 + records.readUInt32LE(at + 1);
      const first = records.readUInt32LE(at + 5) + records.readUInt16LE(at + 9) * 0x1_0000_0000;
      const count = records.readUInt16LE(at + 12);
      const chunk = records[at] === Op.OUTCOMES ? find(carrier, first, records[at + 11]!) : undefined;
      const item = chunk ? first - chunk.work.first : 0;
      if (chunk?.endRun(item, count)) carrier.open -= count;
      else if (!chunk || !this.#endEach(carrier, chunk, item, count)) {
        if (passed < at) this.#events.outcomes(records.subarray(passed, at));
        passed = end;
        clean = false;
      }
      if (chunk) {
        this.#measure(chunk.work.bind, records.readUInt32LE(at + 14) / 1000 / Math.max(1, count));
        if (chunk.finished) carrier.release(chunk);
      }
      at = end;
    }
    if (clean) this.#events.outcomes(records);
    else if (passed < at) this.#events.outcomes(records.subarray(passed, at));
  }

  /** False when an item had its outcome already, as after a time limit; a record then has one item, or is all late. */
  #endEach(carrier: Carrier, chunk: Chunk, item: number, count: number): boolean {
    let fresh = 0;
    for (let i = item; i < item + count; i++) if (chunk.end(i)) fresh++;
    carrier.open -= fresh;
    return fresh > 0;
  }

  #settle(carrier: Carrier, chunk: Chunk, item: number): boolean {
    if (!chunk.end(item)) return false;
    carrier.open--;
    if (chunk.finished) carrier.release(chunk);
    return true;
  }

  #measure(bind: number, itemMs: number): void {
    const before = this.#itemMs.get(bind);
    this.#itemMs.set(bind, before === undefined ? itemMs : before * 0.7 + itemMs * 0.3);
  }

  /** Gives idle carriers the tails of busy ones. */
  #balance(): void {
    for (const carrier of this.#carriers) if (carrier.retired && carrier.open === 0) void carrier.terminate();
    if (this.#lent) this.#giveSlotsBack();
    if (this.#waiting.length > 0 && this.#usable().length > 0) {
      for (const work of this.#waiting.splice(0)) this.take(work);
      for (const carrier of this.#carriers) carrier.send();
    }
    const idle = this.#usable().filter((carrier) => !carrier.blocked && carrier.open < carrier.share.allowed);
    for (const carrier of idle) {
      const found = donor(this.#carriers, carrier);
      if (!found) return;
      for (const work of found.from.cut(found.count)) this.#put(carrier, work);
      carrier.send();
    }
  }

  /** Carriers for work that waits behind blocked ones, within the node's slots. */
  #addCarriers(waiting: number): void {
    let held = 0;
    for (const carrier of this.#carriers) {
      // A blocked carrier keeps the slots that it uses; the others are free for somebody else.
      if (carrier.blocked && !carrier.retired) carrier.share.allowed = Math.max(1, carrier.share.busy);
      if (!carrier.retired) held += carrier.share.allowed;
    }
    const add = Math.min(waiting, this.#options.concurrency - held);
    for (let i = 0; i < add; i++) this.#start(1, 0);
    if (add > 0) this.#lent = true;
    this.#balance();
  }

  /** A carrier that turns again gets its slots back, those of idle stand-ins first. */
  #giveSlotsBack(): void {
    for (const carrier of this.#carriers) {
      let wanted = carrier.base - carrier.share.allowed;
      if (wanted <= 0 || carrier.blocked || carrier.retired) continue;
      for (const other of this.#carriers) {
        if (wanted <= 0) break;
        if (other.base > 0 || other.open > 0 || other.retired) continue;
        other.retired = true;
        void other.terminate();
        wanted -= other.share.allowed;
      }
      let held = 0;
      for (const other of this.#carriers) if (!other.retired) held += other.share.allowed;
      const more = Math.min(carrier.base - carrier.share.allowed, this.#options.concurrency - held);
      if (more <= 0) continue;
      carrier.share.allowed += more;
      carrier.post({ type: "slots" });
    }
  }

  #expired(carrier: Carrier, chunk: Chunk, item: number, limitMs: number): void {
    const id = chunk.work.first + item;
    carrier.post({ type: "stop", first: id, count: 1, reason: "timeout" });
    if (!this.#settle(carrier, chunk, item)) return;
    this.#limits.gaveUp(carrier, id);
    this.#events.timedOut(id, chunk.work.attempt, limitMs);
  }

  #retire(carrier: Carrier, culprit: number): void {
    if (carrier.retired) return;
    carrier.retired = true;
    this.#culprits.set(carrier, culprit);
    this.#start(carrier.share.allowed, carrier.base);
    this.#balance();
    if (carrier.open === 0) void carrier.terminate();
  }

  #terminate(carrier: Carrier, culprit: number): void {
    this.#culprits.set(carrier, culprit);
    const late = setTimeout(() => this.#events.stuck(culprit), 1000);
    void carrier.terminate().finally(() => clearTimeout(late));
  }

  #exited(carrier: Carrier, reason: string): void {
    this.#carriers.delete(carrier);
    if (this.#closing) return;
    const culprit = this.#culprits.get(carrier);
    this.#culprits.delete(carrier);
    if (!carrier.retired) this.#start(carrier.share.allowed, carrier.base);
    const { started, unstarted } = leftOf(carrier);
    const escaped = this.#escaped.get(carrier);
    this.#escaped.delete(carrier);
    if (started.length > 0)
      this.#events.lost(started, reasonOf(carrier, culprit, escaped, reason), culprit, escaped !== undefined);
    const works = [...this.#waiting, ...unstarted];
    this.#waiting = [];
    for (const work of works) this.take(work);
    this.send();
  }
}

/** The late answer of an earlier attempt must not end a later one. */
function find(carrier: Carrier, id: number, attempt: number): Chunk | undefined {
  for (const chunk of carrier.chunks.values()) if (chunk.work.attempt === attempt && chunk.has(id)) return chunk;
  return undefined;
}

/** Why a carrier's tasks are lost, in words. */
function reasonOf({ kind }: Carrier, culprit: number | undefined, escaped: string | undefined, reason: string): string {
  if (culprit !== undefined) return `its ${kind} was ended because of another task`;
  if (escaped !== undefined)
    return `its ${kind} was ended for an error that escaped it or a task before it: ${escaped}`;
  return `its ${kind} ${reason}`;
}
