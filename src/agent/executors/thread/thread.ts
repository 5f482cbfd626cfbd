import { Worker } from "node:worker_threads";
import { Chunk, type Work } from "./chunk.ts";
import { type ChunkMessage, packChunks } from "./chunk-message.ts";
import type { BindMessage, FromThread, ThreadData, ToThread } from "./messages.ts";
import { ThreadShare, WORDS } from "./shared.ts";
import type { InstanceFacts } from "../../../task/instance-info.ts";

export interface ThreadEvents {
  message(thread: Thread, message: FromThread): void;
  exit(thread: Thread, code: number, error: Error | undefined): void;
}

/** One executor thread, seen from the host's main thread. */
export class Thread {
  readonly share: ThreadShare;
  readonly chunks = new Map<number, Chunk>();
  readonly worker: Worker;
  /** It has said so: until then it is not blocked, it starts. */
  ready = false;
  /** Slots that it gets back when it is no longer blocked; 0 for one that was started in another's place. */
  readonly base: number;
  /** Gets no new work; ends when what it has is done. */
  retired = false;
  /** Tasks given to it that have no outcome yet. */
  open = 0;
  /** For telling whether it moves: what it had counted at the last look, and when its loop was asked. */
  lastProgress = -1;
  pinged = 0;
  pingId = 0;
  blocked = false;
  #free: number[] = [];
  #nextWord = 0;
  #outbox: ChunkMessage[] = [];
  #known = new Set<number>();

  constructor(
    file: string,
    slots: number,
    allowed: number,
    base: number,
    single: boolean,
    info: InstanceFacts,
    events: ThreadEvents,
  ) {
    this.share = new ThreadShare(slots);
    this.share.allowed = allowed;
    this.base = base;
    const workerData: ThreadData = { shared: this.share.buffer, slots, single, info };
    this.worker = new Worker(file, { workerData, stdout: true, stderr: true });
    this.worker.stdout.resume();
    this.worker.stderr.resume();
    let failure: Error | undefined;
    this.worker.on("message", (message: FromThread) => events.message(this, message));
    this.worker.on("error", (error) => (failure = error));
    this.worker.on("exit", (code) => events.exit(this, code, failure));
  }

  get unclaimed(): number {
    let sum = 0;
    for (const chunk of this.chunks.values()) sum += this.share.unclaimed(chunk.word);
    return sum;
  }

  knows(bind: number): boolean {
    return this.#known.has(bind);
  }

  bind(bind: BindMessage): void {
    this.#known.add(bind.id);
    this.post({ type: "bind", bind });
  }

  unbind(id: number): void {
    if (this.#known.delete(id)) this.post({ type: "unbind", id });
  }

  get full(): boolean {
    return this.#free.length === 0 && this.#nextWord === WORDS;
  }

  /** Puts work in line; `send` posts it. */
  take(work: Work): void {
    // Oldest first: the thread has long dropped what had this word before.
    const word = this.#nextWord < WORDS ? this.#nextWord++ : this.#free.shift()!;
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

  post(message: ToThread): void {
    this.worker.postMessage(message);
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
