import type { Duplex } from "node:stream";
import { SkyError } from "../../errors/sky-error.ts";
import { BulkLink, type BulkState } from "../../wire/bulk-link.ts";
import { readLine } from "../../wire/hello.ts";
import { Op } from "../../wire/ops.ts";
import type { LargeTask } from "../../wire/records.ts";
import type { Session } from "../../wire/session.ts";
import type { LargeParts, Work } from "../executors/chunk.ts";
import { Shares } from "./shares.ts";

const HELLO_MS = 10_000;
const STATE_MAX_BYTES = 1024 * 1024;

export interface LargeValuesEvents {
  /** All that a task needs is here. */
  ready(work: Work): void;
  cancelled(id: number, attempt: number): void;
  /** A record has been written to the session. */
  said(): void;
  log(line: string): void;
}

interface Waiting {
  readonly work: Work;
  readonly channel: number;
  left: number;
}

/** What comes and goes by the bulk link on a node: arguments of tasks that wait for them, shared values, results. */
export class LargeValues {
  readonly bulk: BulkLink;
  readonly #events: LargeValuesEvents;
  readonly #shares: Shares;
  readonly #tasks = new Set<Waiting>();
  readonly #byChannel = new Map<number, () => void>();
  /** The stream that came last. */
  #newest: Duplex | undefined;

  constructor(dir: string, session: () => Session, events: LargeValuesEvents) {
    this.#events = events;
    const say = (op: number, share?: number): void => {
      session().open(op);
      if (share !== undefined) session().out.u32(share);
      session().close();
      events.said();
    };
    this.#shares = new Shares(dir, {
      missing: (id) => say(Op.MISSING, id),
      log: (line) => events.log(line),
    });
    this.bulk = new BulkLink({
      // Only the controller opens links.
      wanted: () => say(Op.BULK_WANTED),
      arrived: (channel) => {
        const then = this.#byChannel.get(channel);
        this.#byChannel.delete(channel);
        then?.();
      },
      down: (error) => {
        if (error) events.log(`the bulk link was closed: ${error.message}`);
      },
    });
  }

  /** Takes over a bulk stream: both ends say what is on its way, and each goes on where the other stands. */
  async link(stream: Duplex, sessionId: string): Promise<void> {
    try {
      const { line, rest } = await readLine(stream, STATE_MAX_BYTES, HELLO_MS);
      const hello = JSON.parse(line) as Partial<BulkState> & { session?: unknown };
      if (hello.session !== sessionId || !Array.isArray(hello.sending))
        throw new SkyError("SKY_LINK_LOST", "the bulk link belongs to another session", { retryable: true });
      // What an older one still brings, even its own last line, would move on from where the newest is told to go on.
      this.#newest?.destroy();
      this.#newest = stream;
      this.bulk.detach();
      const { sending } = this.bulk.state;
      const answer = { ok: true, sending, received: this.bulk.receivedOf(hello.sending as number[]) };
      stream.write(`${JSON.stringify(answer)}\n`);
      const second = await readLine(stream, STATE_MAX_BYTES, HELLO_MS, rest);
      if (this.#newest !== stream) throw new SkyError("SKY_LINK_LOST", "a newer bulk link came", { retryable: true });
      const { received } = JSON.parse(second.line) as BulkState;
      this.bulk.attach(stream, received, second.rest);
    } catch (error) {
      const { code, retryable } = error instanceof SkyError ? error : { code: "SKY_WIRE_MALFORMED", retryable: false };
      stream.end(`${JSON.stringify({ ok: false, code, retryable, error: (error as Error).message })}\n`);
    }
  }

  /** Lets go of the stream, and of one that has not said its last line yet. */
  detach(): void {
    this.#newest?.destroy();
    this.#newest = undefined;
    this.bulk.detach();
  }

  /** A shared value comes in a channel. */
  share(id: number, channel: number): void {
    this.#when(channel, () => this.#shares.put(id, this.bulk.take(channel)));
  }

  unshare(id: number): void {
    this.#shares.drop(id);
  }

  /** A task whose value, and whose shared values, have to be there before it can start. */
  task(work: Work, { channel, shares }: LargeTask, value: Uint8Array): void {
    const large: LargeParts = { value: [value], shares };
    const one: Waiting = { work: { ...work, large }, channel, left: 1 + shares.length + (channel > 0 ? 1 : 0) };
    this.#tasks.add(one);
    const arrived = (): void => {
      if (--one.left > 0 || !this.#tasks.delete(one)) return;
      if (channel > 0) large.value = this.bulk.take(channel).parts;
      this.#events.ready(one.work);
    };
    if (channel > 0) this.#when(channel, arrived);
    for (const share of shares) this.#shares.when(share, arrived);
    arrived();
  }

  /** Drops tasks that still wait. */
  cancel(first: number, count: number): void {
    for (const one of this.#tasks) {
      const { first: id, attempt } = one.work;
      if (id < first || id >= first + count) continue;
      this.#tasks.delete(one);
      this.#byChannel.delete(one.channel);
      if (one.channel > 0) this.bulk.discard(one.channel);
      this.#events.cancelled(id, attempt);
    }
  }

  /** What a task needs to be decoded, for the one that runs it. */
  async parts({ value, shares }: LargeParts): Promise<{ value: Uint8Array[]; shares: Uint8Array[][] }> {
    return { value, shares: await Promise.all(shares.map((id) => this.#shares.get(id))) };
  }

  dispose(): void {
    this.detach();
    this.bulk.dispose();
    this.#shares.clear();
    this.#tasks.clear();
    this.#byChannel.clear();
  }

  #when(channel: number, then: () => void): void {
    if (this.bulk.has(channel)) then();
    else this.#byChannel.set(channel, then);
  }
}
