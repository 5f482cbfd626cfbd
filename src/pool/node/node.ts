import type { Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import type { HostDeath, HostReady, NodePlace } from "../../agent/control.ts";
import { SkyError } from "../../errors/sky-error.ts";
import type { KeptMachine, Machine } from "../../providers/provider.ts";
import type { SessionCounters } from "../../wire/session.ts";
import { obtain } from "../keep/keeping.ts";
import { BulkOpener } from "./bulk-opener.ts";
import { ControlLink } from "./control-link.ts";
import { type NodeNote, tellLine, tellMetrics, tellNote } from "./node-note.ts";
import { DataLink } from "./data-link.ts";
import { deathWords, hostReplaced, whyLost } from "./death-words.ts";
import { NodeClock } from "./node-clock.ts";
import type { NodeOptions } from "./node-options.ts";
import { prepareMachine } from "./prepare-machine.ts";

/** A node that can't be reached for this long is lost. */
const LOST_MS = 30_000;
/** How long a node may take to say that it waits for a later run. */
const KEEP_ANSWER_MS = 2000;
const BACKOFF_MAX_MS = 2000;

export type NodeState = "provisioning" | "connecting" | "preparing" | "ready" | "reconnecting" | "lost" | "closed";

/** One node's life: provision, connect, ready, and whatever happens until it is gone. */
export class Node {
  readonly rank: number;
  readonly #options: NodeOptions;
  readonly #abort = new AbortController();
  readonly #bulk = new BulkOpener(
    () => this.#machine!.connect("bulk", this.#key, this.#abort.signal),
    this.#abort.signal,
    () => this.#data,
  );
  #machine: Machine | undefined;
  #place: NodePlace | undefined;
  #env: Readonly<Record<string, string>> = {};
  #control: ControlLink | undefined;
  readonly #clock = new NodeClock();
  #data: DataLink;
  /** Since when the data link is away, in the pool's time: what was given to it since has never left. */
  #silentSince: number | undefined;
  #state: NodeState = "provisioning";
  #recovering = false;
  #downSince = 0;
  #culprit: number | undefined;
  #death: HostDeath | undefined;
  /** The data link has met a new host before the control link told of the old one's death. */
  #replaced = false;
  /** A dead host has left outcomes: until the data link has fetched them, or can't, its tasks are not given up. */
  #left = false;
  /** The data stream whose answer is awaited. */
  #attaching: Duplex | undefined;
  #roundTripMs = Number.POSITIVE_INFINITY;

  constructor(options: NodeOptions) {
    this.rank = options.rank;
    this.#options = options;
    this.#data = this.#newData();
  }

  get state(): NodeState {
    return this.#state;
  }

  /** What the node told of itself. */
  get place(): NodePlace | undefined {
    return this.#place;
  }

  get machine(): Machine | undefined {
    return this.#machine;
  }

  /** Variables of its tasks, on top of the machine's own. */
  get env(): Readonly<Record<string, string>> {
    return this.#env;
  }

  get counters(): SessionCounters {
    return this.#data.counters;
  }

  /** Brings the node up. @throws SkyError what the provider, the way to the machine, or the agent failed with */
  async start(): Promise<void> {
    const { rank, pool, provider, config, image, choice, includes, kept, emit } = this.#options;
    const { signal } = this.#abort;
    const began = performance.now();
    const elapsed = (): number => Math.round(performance.now() - began);
    emit({ type: "Node.Provisioning", node: rank });
    const onPhase = (phase: string): void => emit({ type: "Node.PhaseChanged", node: rank, phase });
    this.#machine = await obtain(provider, kept, { rank, pool, onPhase }, signal);
    if (signal.aborted) {
      await this.#machine.release();
      signal.throwIfAborted();
    }
    emit({
      type: "Node.Provisioned",
      node: rank,
      machine: this.#machine.name,
      address: this.#machine.address,
      elapsedMs: elapsed(),
    });
    this.#state = "connecting";
    const given = await prepareMachine(rank, this.#machine, image, emit, signal, provider.atHome === true);
    this.#env = { ...given, ...config.env };
    await this.#machine.start({ ...config, env: this.#env, rank, pool }, signal, choice);
    const { name: machine } = this.#machine;
    emit({ type: "Node.Connected", node: rank, machine, elapsedMs: elapsed() });
    if (kept) emit({ type: "Node.Adopted", node: rank, machine, keptAt: kept.keptAt });
    const opening = [this.#openControl(), this.#openData(), includes.to(this.#machine, rank, emit, signal)];
    await Promise.all(opening).catch((error: unknown) => Promise.reject(whyLost(error, this.#death, machine)));
    await this.#prepare();
    this.#ready();
    if (!this.#control || !this.#data.up) this.#cut("a link was cut while the node came up");
    emit({
      type: "Node.Ready",
      node: rank,
      machine: this.#machine.name,
      slots: config.concurrency,
      elapsedMs: elapsed(),
    });
  }

  topology(info: object): void {
    if (this.#state === "ready") this.#data.topology(info);
  }

  /** After a pause in which the node may have gone: nothing leaves for it before it has answered. */
  askAgain(reason: string): void {
    if (this.#state !== "ready" || this.#recovering) return;
    this.#data.session.detach();
    this.#silentSince = this.#options.dispatcher.now();
    this.#control?.dispose();
    this.#control = undefined;
    this.#cut(reason);
  }

  /** Lets go of the machine with its agent, for a later run. Undefined where that is not possible, and the node is closed. */
  async keep(untilMs: number): Promise<KeptMachine | undefined> {
    const [machine, control] = [this.#machine, this.#control];
    if (this.#state !== "ready" || !machine?.keep || !control || !this.#data.up) return void (await this.close());
    this.#end();
    this.#data.dispose();
    const kept = (await control.keep(untilMs - Date.now(), KEEP_ANSWER_MS))
      ? await machine.keep(this.rank, this.#key, untilMs).catch(() => undefined)
      : undefined;
    if (kept) control.dispose();
    else await this.close();
    return kept;
  }

  /** Ends the agent and lets the machine go. */
  async close(): Promise<void> {
    const began = performance.now();
    this.#end();
    await Promise.race([this.#control?.end(), sleep(500, undefined, { ref: false })]);
    this.#data.dispose();
    await this.#machine?.release();
    this.#control?.dispose();
    if (this.#machine)
      this.#options.emit({ type: "Node.Gone", node: this.rank, elapsedMs: Math.round(performance.now() - began) });
  }

  #end(): void {
    const was = this.#state;
    this.#state = "closed";
    this.#abort.abort();
    if (was !== "closed")
      this.#options.dispatcher.nodeDown(this.rank, { cause: "nodeGone", reason: "the pool closed" });
  }

  get #key(): { token: string; epoch: number } {
    const { token, epoch } = this.#options.config;
    return { token, epoch };
  }

  #newData(): DataLink {
    const { dispatcher, emit, shows, provider } = this.#options;
    const link: DataLink = new DataLink(this.rank, this.#clock, shows, provider.atHome === true, {
      outcomes: (port, buf, start, end) => dispatcher.outcomes(port, buf, start, end),
      revoked: (port, ranges) => dispatcher.revoked(port, ranges),
      lost: (port, record) => dispatcher.lost(port, record),
      stream: (port, op, buf, start, end) => dispatcher.streams.record(port, op, buf, start, end),
      log: (task, stream, message) =>
        emit({ type: "Log.Emitted", node: this.rank, stream, message, ...(task >= 0 ? { task: `t${task}` } : {}) }),
      note: (note) => this.#note(note),
      inspectable: ({ task, attempt, port, address }) => {
        const name = dispatcher.segmentOf(task)?.bind.name ?? "";
        emit({ type: "Task.Inspectable", node: this.rank, task: `t${task}`, name, attempt, port, address });
      },
      transferred: (direction, bytes, elapsedMs) =>
        emit({ type: "Transfer.Completed", node: this.rank, direction, bytes, elapsedMs }),
      bulkWanted: () => {
        if (link === this.#data) this.#bulk.open();
      },
      down: (error) => {
        if (link !== this.#data) return;
        this.#silentSince = dispatcher.now();
        if (error instanceof SkyError && this.#state === "ready") this.#lose(error.message);
        else this.#cut(error ? error.message : "the data link was closed");
      },
    });
    return link;
  }

  #note(note: NodeNote): void {
    if (note.type === "killing") this.#culprit = note.culprit;
    else tellNote(this.rank, note, this.#options);
  }

  /** Puts codes in place. That may take a while, so links are made anew and a host is replaced as when it is ready. */
  async #prepare(): Promise<void> {
    const { codes } = this.#options;
    if (codes.length === 0) return;
    this.#state = "preparing";
    if (!this.#control || !this.#data.up) this.#cut("a link was cut while the node came up");
    for (;;) {
      const data = this.#data;
      try {
        await Promise.all(codes.map((code) => data.prepare(code)));
        if (data === this.#data) return;
      } catch (error) {
        // Else the host is another one now, and has nothing yet.
        if (data === this.#data) throw error;
      }
    }
  }

  async #openControl(): Promise<void> {
    const stream = await this.#machine!.connect("control", this.#key, this.#abort.signal);
    this.#control = await ControlLink.open(stream, {
      host: (state) => this.#host(state),
      log: (line) => tellLine(this.rank, line, this.#options),
      metrics: (samples) => tellMetrics(this.rank, samples, this.#options),
      roundTrip: (ms, nodeMs) => {
        this.#clock.heard(ms, nodeMs, performance.timeOrigin + performance.now());
        this.#roundTripMs = Math.min(ms, this.#roundTripMs * 1.2);
        this.#options.dispatcher.scheduler.roundTrip(this.rank, this.#roundTripMs);
      },
      down: (gone) => {
        this.#control = undefined;
        if (gone && this.#state === "ready") this.#lose("its agent has ended");
        else this.#cut("the control link was closed");
      },
    });
  }

  async #openData(): Promise<void> {
    for (;;) {
      const stream = await this.#machine!.connect("data", this.#key, this.#abort.signal);
      const data = this.#data;
      this.#attaching = stream;
      if (await data.attach(stream).finally(() => (this.#attaching = undefined))) {
        if (data.up) this.#silentSince = undefined;
        this.#left = false;
        return;
      }
      // Else the control link has told of it meanwhile.
      if (data !== this.#data) continue;
      this.#replaced = !this.#left;
      this.#left = false;
      this.#hostGone();
    }
  }

  #ready(): void {
    if (this.#state === "closed") return;
    this.#state = "ready";
    const roundTripMs = Number.isFinite(this.#roundTripMs) ? this.#roundTripMs : 1;
    this.#options.dispatcher.nodeUp(this.#data, this.#options.config.concurrency, roundTripMs);
    this.#options.onReady(this);
  }

  #host(state: HostReady | HostDeath): void {
    if (state.state === "ready") {
      this.#place = state.place;
      // It may come when the others have been told already.
      if (this.#state === "ready") this.#options.onReady(this);
      if (state.generation > 1 && this.#death)
        this.#options.emit(hostReplaced(this.rank, state.generation, this.#death));
      return;
    }
    // Every new control link tells of the last death again.
    if (this.#death && state.generation <= this.#death.generation) return;
    this.#death = state;
    // A link that was handed to the dead host is never answered.
    this.#attaching?.destroy();
    if (this.#replaced) return void (this.#replaced = false);
    if (state.left) this.#left = true;
    else this.#hostGone();
    this.#cut("its host process ended");
  }

  /** Everything that the host had is gone; another one will answer. */
  #hostGone(): void {
    const reason = deathWords(this.#death);
    this.#data.dispose();
    this.#bulk.forget();
    this.#data = this.#newData();
    const unsentSince = this.#silentSince;
    this.#silentSince = undefined;
    this.#options.dispatcher.nodeDown(this.rank, {
      cause: "hostRestarted",
      reason,
      culprit: this.#culprit,
      unsentSince,
    });
    this.#culprit = undefined;
    if (this.#state === "ready") this.#state = "reconnecting";
  }

  #cut(reason: string): void {
    if (this.#state === "closed" || this.#state === "lost" || this.#state === "connecting" || this.#recovering) return;
    this.#options.emit({ type: "Node.Disconnected", node: this.rank, reason });
    this.#downSince = performance.now();
    void this.#recover(reason);
  }

  /** Makes both links anew, until that works or the node counts as lost. */
  async #recover(reason: string): Promise<void> {
    this.#recovering = true;
    const fresh = this.#data;
    for (let attempt = 0; !this.#abort.signal.aborted; attempt++) {
      try {
        // Both end before the next try: a link that came up behind a newer one would bring frames a second time.
        const opened = await Promise.allSettled([
          this.#control ? undefined : this.#openControl(),
          this.#data.up ? undefined : this.#openData(),
        ]);
        if (this.#control || this.#data.up) this.#downSince = performance.now();
        for (const one of opened) if (one.status === "rejected") throw one.reason;
        if (!this.#control || !this.#data.up)
          throw new SkyError("SKY_LINK_LOST", "a link was cut at once", { retryable: true });
        this.#recovering = false;
        this.#options.emit({
          type: "Node.Reconnected",
          node: this.rank,
          elapsedMs: Math.round(performance.now() - this.#downSince),
        });
        if (this.#state !== "preparing" && (this.#data !== fresh || this.#state !== "ready")) this.#ready();
        return;
      } catch (error) {
        if (this.#abort.signal.aborted) return;
        const gone = error instanceof SkyError && !error.retryable;
        if (gone || performance.now() - this.#downSince > LOST_MS) {
          this.#recovering = false;
          this.#lose(`${reason}; ${(error as Error).message}`);
          return;
        }
        await sleep(Math.min(BACKOFF_MAX_MS, 10 * 2 ** attempt) * (0.5 + Math.random()), undefined, {
          signal: this.#abort.signal,
        }).catch(() => {});
      }
    }
    this.#recovering = false;
  }

  #lose(reason: string): void {
    const starting = this.#state === "preparing";
    this.#state = "lost";
    this.#data.dispose();
    this.#control?.dispose();
    const log = this.#options.keepLog(this, reason);
    this.#options.emit({
      type: "Node.Lost",
      node: this.rank,
      cause: "nodeGone",
      reason,
      ...(this.#machine ? { machine: this.#machine.name } : {}),
      ...(log === undefined ? {} : { log }),
    });
    this.#options.dispatcher.nodeDown(this.rank, {
      cause: "nodeGone",
      reason: `node ${this.rank} is gone: ${reason}`,
      unsentSince: this.#silentSince,
    });
    // Who waits for its start is told by that.
    if (!starting) this.#options.onLost(this, reason);
  }
}
