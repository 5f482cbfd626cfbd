import type { InstanceFacts } from "../../task/instance-info.ts";
import type { InspectorRecord, ProcessEnd } from "../../wire/records.ts";
import { BlockWatch } from "./block-watch.ts";
import type { Chunk, Work } from "./chunk.ts";
import { giveParts, type PartsOf } from "./give-parts.ts";
import { Limits } from "./limits.ts";
import type { FromSlots, HostBind, LargeOutcomeMessage, StreamMessage } from "./messages.ts";
import { StreamRelay } from "./stream-relay.ts";
import { settleRecords } from "./settle-records.ts";
import { Spawners } from "./spawners.ts";
import { StandIns } from "./stand-ins.ts";
import { Waiting } from "./waiting.ts";
import { donor, leftOf, least, split } from "./share-out.ts";
import type { Carrier, CarrierEvents, CarrierOptions } from "./carrier.ts";

/** Tasks of one arrival that take less than this together stay on one carrier: waking another costs more. */
const SPLIT_MS = 0.5;
/** Between tries to start what can't be started. */
const MAX_PAUSE_MS = 5000;

/** What the executor tells the host. */
export interface ExecutorEvents {
  /** OUTCOMES records, whole, whose items all count. */
  outcomes(records: Uint8Array): void;
  bulkOutcome(outcome: LargeOutcomeMessage): void;
  /** The large arguments of a task that has started. */
  readonly parts: PartsOf;
  /** The run limit passed; the task is being stopped. */
  timedOut(id: number, attempt: number, limitMs: number): void;
  cancelled(id: number, attempt: number): void;
  /** Tasks that had started on a carrier that is gone. */
  lost(
    tasks: readonly { id: number; attempt: number }[],
    detail: string,
    culprit: number | undefined,
    innocent: boolean,
    end: ProcessEnd | undefined,
  ): void;
  line(id: number, stream: "stdout" | "stderr", text: string): void;
  progress(id: number, done: number, of: number): void;
  stream(message: StreamMessage): void;
  inspector(news: InspectorRecord): void;
  /** A carrier did not even terminate: only the end of the process helps. */
  stuck(culprit: number): void;
}

export interface ExecutorOptions {
  /** Tasks at a time. */
  readonly concurrency: number;
  /** Threads or processes at the beginning; the slots are spread over them. */
  readonly carriers: number;
  readonly start: (options: CarrierOptions, events: CarrierEvents) => Carrier;
  /** Each carrier runs one task and ends; so many more than the slots stand ready. */
  readonly fresh?: { readonly spares: number } | undefined;
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
  readonly #standIns: StandIns;
  readonly #spawners: Spawners;
  readonly #culprits = new Map<Carrier, number>();
  /** Carriers that are ended for an error which nobody can be blamed for. */
  readonly #escaped = new Map<Carrier, string>();
  #info: InstanceFacts;
  readonly #waiting = new Waiting();
  /** Carriers in a row that ended before they had begun. */
  #stillborn = 0;
  #closing = false;

  get busy(): boolean {
    return this.#waiting.size > 0 || [...this.#carriers].some((carrier) => carrier.open > 0);
  }

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
      blocked: (waiting) => {
        this.#standIns.add(waiting);
        this.#balance();
      },
    });
    this.#spawners = new Spawners(options.graceMs);
    this.#standIns = new StandIns(this.#carriers, options.concurrency, () => this.#start(1, 0));
  }

  /** Starts the carriers; work may come before. */
  open(): void {
    const { concurrency, carriers, fresh } = this.#options;
    if (fresh) return this.#feed();
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
    if (this.#options.fresh) {
      this.#waiting.push(work);
      return this.#feed();
    }
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
    const out = this.#waiting.cut(count);
    let left = out.reduce((sum, work) => sum - work.count, count);
    for (const carrier of [...this.#carriers].sort((a, b) => b.unclaimed - a.unclaimed)) {
      for (const work of carrier.cut(left)) {
        out.push(work);
        left -= work.count;
      }
    }
    return out;
  }

  /** Stops tasks, wherever they are; each is reported cancelled unless it has an outcome already. */
  cancel(first: number, count: number, why?: Uint8Array): void {
    for (const work of this.#waiting.remove(first, count))
      for (let i = 0; i < work.count; i++) this.#events.cancelled(work.first + i, work.attempt);
    for (const carrier of this.#carriers) {
      for (const chunk of [...carrier.chunks.values()]) {
        const from = Math.max(first, chunk.work.first);
        const to = Math.min(first + count, chunk.work.first + chunk.count);
        if (from >= to) continue;
        // What it is to stop must be there first.
        carrier.send();
        carrier.post({ type: "stop", first: from, count: to - from, reason: "cancelled", why });
        for (let id = from; id < to; id++) {
          if (!carrier.settle(chunk, id - chunk.work.first)) continue;
          this.#events.cancelled(id, chunk.work.attempt);
          this.#limits.gaveUp(carrier, id);
          this.#spawners.stopped(id);
        }
      }
    }
  }

  async close(): Promise<void> {
    this.#closing = true;
    this.#limits.dispose();
    this.#spawners.dispose();
    this.streams.dispose();
    this.#blocks.dispose();
    await Promise.all([...this.#carriers].map((carrier) => carrier.end()));
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
        exit: (from, reason, end) => this.#exited(from, reason, end),
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
      const records = Buffer.from(message.buffer, message.byteOffset, message.byteLength);
      for (const stretch of settleRecords(carrier, records, this.#measure)) this.#events.outcomes(stretch);
      return this.#balance();
    }
    switch (message.type) {
      case "bulk": {
        const chunk = carrier.find(message.id, message.attempt);
        if (chunk && carrier.settle(chunk, message.id - chunk.work.first)) this.#events.bulkOutcome(message);
        return this.#balance();
      }
      case "fetch":
        return giveParts(carrier, carrier.find(message.id, message.attempt)?.work, this.#events.parts);
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
        this.#standIns.giveBack();
        return this.#balance();
      case "spawned":
        return this.#spawners.add(message.id, message.mark);
      case "left":
        // A body that was given up has ended after all: what it ran in has no more to do.
        if (carrier.spent && carrier.open === 0) void carrier.end();
        return;
      case "ended":
        return carrier.ended();
      case "escaped":
        this.#escaped.set(carrier, message.text);
        return void carrier.terminate();
      case "ready":
        carrier.ready = true;
        this.#stillborn = 0;
        return this.#options.fresh && this.#feed();
    }
  }

  #measure = (bind: number, itemMs: number): void => {
    const before = this.#itemMs.get(bind);
    this.#itemMs.set(bind, before === undefined ? itemMs : before * 0.7 + itemMs * 0.3);
  };

  /** Gives idle carriers the tails of busy ones. */
  #balance(): void {
    if (this.#closing) return;
    for (const carrier of this.#carriers) {
      if (carrier.open === 0 && (carrier.retired || (carrier.spent && !this.#limits.waitsFor(carrier))))
        void carrier.end();
    }
    if (this.#options.fresh) return this.#feed();
    this.#standIns.giveBack();
    if (this.#waiting.size > 0 && this.#usable().length > 0) {
      for (const work of this.#waiting.drain()) this.take(work);
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

  #expired(carrier: Carrier, chunk: Chunk, item: number, limitMs: number): void {
    const id = chunk.work.first + item;
    carrier.post({ type: "stop", first: id, count: 1, reason: "timeout", limitMs });
    if (!carrier.settle(chunk, item)) return;
    this.#limits.gaveUp(carrier, id);
    this.#spawners.stopped(id);
    this.#events.timedOut(id, chunk.work.attempt, limitMs);
  }

  #retire(carrier: Carrier, culprit: number): void {
    if (carrier.retired) return;
    carrier.retired = true;
    this.#culprits.set(carrier, culprit);
    if (!carrier.spent) this.#start(carrier.share.allowed, carrier.base);
    this.#balance();
    if (carrier.open === 0) void carrier.end();
  }

  #terminate(carrier: Carrier, culprit: number): void {
    this.#culprits.set(carrier, culprit);
    const late = setTimeout(() => this.#events.stuck(culprit), 1000);
    void carrier.terminate().finally(() => clearTimeout(late));
  }

  #exited(carrier: Carrier, reason: string, end: ProcessEnd | undefined): void {
    this.#carriers.delete(carrier);
    carrier.ended();
    if (this.#closing) return;
    const culprit = this.#culprits.get(carrier);
    this.#culprits.delete(carrier);
    if (!carrier.retired && !carrier.spent) this.#again(carrier, reason);
    const { started, unstarted } = leftOf(carrier);
    const escaped = this.#escaped.get(carrier);
    this.#escaped.delete(carrier);
    if (started.length > 0)
      this.#events.lost(started, reasonOf(carrier, culprit, escaped, reason), culprit, escaped !== undefined, end);
    const works = [...this.#waiting.drain(), ...unstarted];
    for (const work of works) this.take(work);
    this.#balance();
    this.send();
  }

  /** Puts another in its place; where none even starts, with a pause. */
  #again({ kind, ready, share, base }: Carrier, reason: string): void {
    this.#stillborn = ready ? 0 : this.#stillborn + 1;
    const start = (): void => {
      if (this.#closing) return;
      if (this.#options.fresh) this.#feed();
      else this.#start(share.allowed, base);
      this.#balance();
      this.send();
    };
    if (this.#stillborn === 0) return start();
    console.error(`a ${kind} for tasks ${reason}; it is tried again`);
    setTimeout(start, Math.min(MAX_PAUSE_MS, 20 * 2 ** this.#stillborn)).unref();
  }

  /** Gives each fresh carrier one task, and starts others for those that come. */
  #feed(): void {
    const { concurrency, fresh } = this.#options;
    let busy = 0;
    let idle = 0;
    for (const carrier of this.#carriers) {
      if (carrier.spent) busy += carrier.open > 0 ? 1 : 0;
      else idle++;
    }
    for (const carrier of this.#carriers) {
      if (this.#waiting.size === 0 || busy >= concurrency) break;
      if (carrier.spent || carrier.retired) continue;
      carrier.spent = true;
      this.#put(carrier, this.#waiting.shift()!);
      carrier.send();
      busy++;
      idle--;
    }
    const wanted = Math.min(concurrency - busy, this.#waiting.size) + (fresh?.spares ?? 0);
    if (this.#stillborn === 0) for (; idle < wanted; idle++) this.#start(1);
  }
}

/** Why a carrier's tasks are lost, in words. */
function reasonOf({ kind }: Carrier, culprit: number | undefined, escaped: string | undefined, reason: string): string {
  if (culprit !== undefined) return `its ${kind} was ended because of another task`;
  if (escaped !== undefined)
    return `its ${kind} was ended for an error that escaped it or a task before it: ${escaped}`;
  return `its ${kind} ${reason}`;
}
