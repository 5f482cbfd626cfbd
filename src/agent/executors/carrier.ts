import { setTimeout as delay } from "node:timers/promises";
import type { InstanceFacts } from "../../task/instance-info.ts";
import type { ProcessEnd } from "../../wire/records.ts";
import { Chunk, type Work } from "./chunk.ts";
import { type ChunkMessage, packChunks } from "./chunk-message.ts";
import type { BindMessage, FromSlots, ToSlots } from "./messages.ts";
import type { HostShare } from "./share.ts";

/** What disposing may take: all of it has to fit into the time that the host has for its own end. */
const DISPOSE_MS = 750;
/** The same where a body still runs, which may never let anything in. */
const DISPOSE_BESIDE_MS = 250;

export interface CarrierEvents {
  message(carrier: Carrier, message: FromSlots): void;
  /** It is gone; `reason` says how, in words that continue "its thread" or "its process". */
  exit(carrier: Carrier, reason: string, end?: ProcessEnd): void;
}

export interface CarrierOptions {
  /** Tasks that it can run at a time. */
  readonly slots: number;
  /** Slots that it may use now. */
  readonly allowed: number;
  /** Slots that it gets back when it is no longer blocked; 0 for one that was started in another's place. */
  readonly base: number;
  /** It never has more than one slot. */
  readonly single: boolean;
  readonly info: InstanceFacts;
}

/** One thread or process that runs tasks, seen from the host's main thread. */
export abstract class Carrier {
  abstract readonly share: HostShare;
  /** What it is called in the reasons of losses. */
  abstract readonly kind: "thread" | "process";
  readonly chunks = new Map<number, Chunk>();
  /** It has said so: until then it is not blocked, it starts. */
  ready = false;
  readonly base: number;
  /** Gets no new work; ends when what it has is done. */
  retired = false;
  /** It was for one task, and has it or had it. */
  spent = false;
  /** Tasks given to it that have no outcome yet. */
  open = 0;
  /** For telling whether it moves: what it had counted at the last look, and when its loop was asked. */
  lastProgress = -1;
  pinged = 0;
  pingId = 0;
  blocked = false;
  readonly #words: number;
  #free: number[] = [];
  #nextWord = 0;
  #outbox: ChunkMessage[] = [];
  #known = new Set<number>();
  #used = false;
  #ending: Promise<unknown> | undefined;
  #ended: (() => void) | undefined;

  /** @param words chunks that it may hold at a time */
  constructor(base: number, words: number) {
    this.base = base;
    this.#words = words;
  }

  abstract post(message: ToSlots, transfer?: readonly ArrayBuffer[]): void;

  /** Ends it, whatever it does; resolves when it is gone. */
  abstract terminate(): Promise<unknown>;

  get unclaimed(): number {
    let sum = 0;
    for (const chunk of this.chunks.values()) sum += this.share.unclaimed(chunk.word);
    return sum;
  }

  knows(bind: number): boolean {
    return this.#known.has(bind);
  }

  /** Lets it dispose of what functions made for it, then ends it, in time whatever it does. */
  end(): Promise<unknown> {
    return (this.#ending ??= this.#end());
  }

  async #end(): Promise<unknown> {
    if (this.#used && !this.blocked) {
      const ended = new Promise<void>((resolve) => (this.#ended = resolve));
      this.post({ type: "end" });
      await Promise.race([ended, delay(this.open > 0 ? DISPOSE_BESIDE_MS : DISPOSE_MS, undefined, { ref: false })]);
    }
    return this.terminate();
  }

  /** It has nothing left to dispose of, or is gone. */
  ended(): void {
    this.#ended?.();
  }

  bind(bind: BindMessage): void {
    this.#used = true;
    this.#known.add(bind.id);
    this.post({ type: "bind", bind });
  }

  unbind(id: number): void {
    if (this.#known.delete(id)) this.post({ type: "unbind", id });
  }

  get full(): boolean {
    return this.#free.length === 0 && this.#nextWord === this.#words;
  }

  /** Puts work in line; `send` posts it. */
  take(work: Work): void {
    // Oldest first: the other side has long dropped what had this word before.
    const word = this.#nextWord < this.#words ? this.#nextWord++ : this.#free.shift()!;
    const chunk = new Chunk(work, word);
    this.share.open(word, work.count);
    this.chunks.set(word, chunk);
    this.open += work.count;
    this.#outbox.push(chunk.message);
  }

  send(): void {
    if (this.#outbox.length === 0) return;
    this.post(packChunks(this.#outbox));
    this.#outbox = [];
  }

  /** The chunk of a task. The late answer of an earlier attempt must not end a later one. */
  find(id: number, attempt: number): Chunk | undefined {
    for (const chunk of this.chunks.values()) if (chunk.work.attempt === attempt && chunk.has(id)) return chunk;
    return undefined;
  }

  /** Notes an outcome; false when the item had one. */
  settle(chunk: Chunk, item: number): boolean {
    if (!chunk.end(item)) return false;
    this.open--;
    if (chunk.finished) this.release(chunk);
    return true;
  }

  release(chunk: Chunk): void {
    this.chunks.delete(chunk.word);
    this.#free.push(chunk.word);
  }

  /** Cuts up to `wanted` unclaimed items off the ends of its chunks, the last first. */
  cut(wanted: number): Work[] {
    const out: Work[] = [];
    let left = wanted;
    for (const chunk of [...this.chunks.values()].reverse()) {
      if (left === 0) break;
      const taken = this.share.cut(chunk.word, left);
      if (taken === 0) continue;
      left -= taken;
      const works = chunk.tail(taken);
      for (const work of works) this.open -= work.count;
      out.unshift(...works);
      if (chunk.finished) this.release(chunk);
    }
    return out;
  }
}
