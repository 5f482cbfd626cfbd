import { availableParallelism } from "node:os";
import type { InstanceFacts } from "../../task/instance-info.ts";
import type { Place } from "../../wire/stream/records.ts";
import type { HostConfig } from "../config.ts";
import type { CarrierEvents, CarrierOptions } from "../executors/carrier.ts";
import type { Work } from "../executors/chunk.ts";
import { Executor, type ExecutorEvents } from "../executors/executor.ts";
import type { HostBind } from "../executors/messages.ts";
import { Process } from "../executors/process/process.ts";
import { Thread } from "../executors/thread/thread.ts";
import { agentFile } from "../locate.ts";

const INSPECTOR_LINE =
  /^(?:Debugger (?:listening on ws:|attached\.|ending on ws:)|For help, see: https:\/\/nodejs\.org)/;

export type ExecutorKind = "thread" | "process" | "inspected";

/** The executors of a node by kind: each is started when a function first needs it. */
export class Executors {
  readonly #config: HostConfig;
  readonly #events: ExecutorEvents;
  readonly #byKind = new Map<ExecutorKind, Executor>();
  readonly #kinds = new Map<number, ExecutorKind>();
  readonly #workers = new Set<number>();
  #info: InstanceFacts;

  constructor(config: HostConfig, info: InstanceFacts, events: ExecutorEvents) {
    this.#config = config;
    this.#info = info;
    this.#events = events;
  }

  /** Starts the one that most functions will use, before there is work. */
  open(): void {
    this.#of(this.#config.executor === "process" ? "process" : "thread");
  }

  /** @param special what the function has or wants, where that matters */
  bind(bind: HostBind, special: "native" | undefined): void {
    const { executor } = this.#config;
    const apart = executor === "process" || (executor === "auto" && special === "native");
    const kind = bind.inspect ? "inspected" : apart ? "process" : "thread";
    this.#kinds.set(bind.id, kind);
    this.#of(kind).bind(bind);
  }

  /** Tasks are here that have no outcome yet. */
  get busy(): boolean {
    return [...this.#byKind.values()].some((executor) => executor.busy);
  }

  /** A whole record for a stream of some task. */
  record(record: Buffer): void {
    for (const executor of this.#byKind.values()) executor.streams.record(record);
  }

  element(place: Place, value: Uint8Array): void {
    for (const executor of this.#byKind.values()) executor.streams.element(place, value);
  }

  unbind(id: number): void {
    const kind = this.#kinds.get(id);
    this.#kinds.delete(id);
    if (kind) this.#of(kind).unbind(id);
  }

  setInfo(info: InstanceFacts): void {
    this.#info = info;
    for (const [kind, executor] of this.#byKind) executor.setInfo(this.#infoFor(kind));
  }

  take(work: Work): void {
    this.#of(this.#kinds.get(work.bind) ?? "thread").take(work);
  }

  send(): void {
    for (const executor of this.#byKind.values()) executor.send();
  }

  revoke(count: number): Work[] {
    const out: Work[] = [];
    let left = count;
    for (const executor of this.#byKind.values()) {
      const works = left > 0 ? executor.revoke(left) : [];
      for (const work of works) left -= work.count;
      out.push(...works);
    }
    return out;
  }

  /** @param why the reason that their signals fire with, encoded */
  cancel(first: number, count: number, why?: Uint8Array): void {
    for (const executor of this.#byKind.values()) executor.cancel(first, count, why);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#byKind.values()].map((executor) => executor.close()));
  }

  #of(kind: ExecutorKind): Executor {
    let executor = this.#byKind.get(kind);
    if (executor) return executor;
    this.#byKind.set(kind, (executor = this.#make(kind)));
    executor.open();
    return executor;
  }

  #make(kind: ExecutorKind): Executor {
    const { concurrency, killGraceMs: graceMs, reuseProcesses, dir } = this.#config;
    const info = this.#infoFor(kind);
    const file = agentFile();
    if (kind === "thread") {
      const carriers = Math.min(concurrency, availableParallelism());
      return new Executor(
        { concurrency, carriers, graceMs, info, start: (options, events) => new Thread(file, options, events) },
        this.#events,
      );
    }
    const fresh = kind === "inspected" ? { spares: 0 } : reuseProcesses ? undefined : { spares: 1 };
    const start = (options: CarrierOptions, events: CarrierEvents): Process => {
      const worker = this.#worker();
      let inspector: number | undefined;
      return new Process({ dir, worker }, options, {
        message: (carrier, message) => {
          if (message instanceof Uint8Array) return events.message(carrier, message);
          // Node tells where the inspector is on this machine; a debugger is to use the way that leads here.
          if (message.type === "line" && message.stream === "stderr" && INSPECTOR_LINE.test(message.text)) return;
          if (message.type !== "inspector") return events.message(carrier, message);
          const { type: _, ...news } = message;
          inspector = news.port;
          this.#events.inspector(news);
        },
        exit: (carrier, reason, end) => {
          this.#workers.delete(worker);
          if (inspector !== undefined) this.#events.inspector({ port: inspector });
          events.exit(carrier, reason, end);
        },
      });
    };
    return new Executor({ concurrency, carriers: concurrency, graceMs, info, fresh, start }, this.#events);
  }

  /** The lowest number that no process has. */
  #worker(): number {
    let worker = 0;
    while (this.#workers.has(worker)) worker++;
    this.#workers.add(worker);
    return worker;
  }

  #infoFor(kind: ExecutorKind): InstanceFacts {
    return kind === "thread" ? this.#info : { ...this.#info, workersPerNode: this.#config.concurrency };
  }
}
