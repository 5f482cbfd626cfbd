import type { Duplex } from "node:stream";
import { SkyError } from "../../errors/sky-error.ts";
import type { ErrorCode } from "../../errors/codes.ts";
import { readLine } from "../../wire/hello.ts";
import { ByteSource } from "../../wire/files/byte-source.ts";
import { readLeft } from "../../wire/left-outcomes.ts";
import { FRAME_TARGET_BYTES, INLINE_MAX_BYTES, Mode, Op, Status } from "../../wire/ops.ts";
import {
  type LostRecord,
  type NoteRecord,
  need,
  readJson,
  readRanges,
  writeCancelWith,
  writeRange,
  writeTasksHeader,
} from "../../wire/records.ts";
import type { Code } from "../../function/capture/code.ts";
import type { StreamOutbox } from "../../wire/stream/outbox.ts";
import { isStreamOp } from "../../wire/stream/records.ts";
import { BulkLink, type BulkState } from "../../wire/bulk-link.ts";
import { Session, type SessionCounters } from "../../wire/session.ts";
import type { Bind } from "../dispatch/bind.ts";
import { largeChannel } from "../dispatch/outcomes.ts";
import type { SharedValue } from "../dispatch/shared-values.ts";
import type { NodePort } from "../dispatch/node-port.ts";
import { type Segment, State } from "../dispatch/segment.ts";
import { DebugPorts, type Inspectable } from "./debug-ports.ts";
import type { NodeClock } from "./node-clock.ts";
import type { NodeNote } from "./node-note.ts";
import { LargeSending } from "./large-sending.ts";
import { type ShowsOutput, Shipping } from "./shipping.ts";

const ANSWER_MS = 15_000;
const BULK_STATE_MAX_BYTES = 1024 * 1024;
/** What a host left comes by no channel; the bulk link counts from 1. */
const LEFT_CHANNEL = 0;
/** Bulk links in a row that are closed for what came over them. */
const BROKEN_MAX = 3;

export interface DataLinkEvents {
  outcomes(port: NodePort, buf: Buffer, start: number, end: number): void;
  revoked(port: NodePort, ranges: readonly { first: number; count: number }[]): void;
  lost(port: NodePort, record: LostRecord): void;
  log(task: number, stream: "stdout" | "stderr", text: string): void;
  note(note: NodeNote): void;
  stream(port: NodePort, op: number, buf: Buffer, start: number, end: number): void;
  transferred(direction: "in" | "out", bytes: number, elapsedMs: number): void;
  /** There are large values to move, and no bulk link. */
  bulkWanted(): void;
  inspectable(news: Inspectable): void;
  /** The stream is gone; the session can go on over another. */
  down(error: Error | undefined): void;
}

interface Answer {
  readonly ok: boolean;
  readonly session?: string;
  readonly received?: number;
  /** In a new session: so many files are on the node, of which a HAVE record tells. */
  readonly kept?: number;
  /** So many bytes of outcomes follow, which an earlier host had not got rid of. */
  readonly left?: number;
  readonly code?: ErrorCode;
  readonly error?: string;
  readonly retryable?: boolean;
}

/** The controller's end of a node's data link: the session with one host, over as many streams as it takes. */
export class DataLink implements NodePort {
  readonly rank: number;
  readonly clock: NodeClock;
  readonly session: Session;
  readonly bulk: BulkLink;
  readonly #large: LargeSending;
  /** Outcomes whose values are still on their way. */
  readonly #arriving = new Map<number, Buffer>();
  readonly #shipping: Shipping;
  readonly #debugPorts: DebugPorts;
  readonly #events: DataLinkEvents;
  /** The large outcome that is being read of what a host left. */
  #left: Uint8Array[] = [];
  #id = "";

  constructor(rank: number, clock: NodeClock, shows: ShowsOutput, atHome: boolean, events: DataLinkEvents) {
    this.rank = rank;
    this.clock = clock;
    this.#events = events;
    this.session = new Session({
      record: (op, buf, start, end) => this.#record(op, buf, start, end),
      down: (error) => events.down(error),
      transferred: (...transfer) => events.transferred(...transfer),
    });
    this.#debugPorts = new DebugPorts(
      () => this.session,
      (news) => events.inspectable(news),
    );
    this.#shipping = new Shipping(rank, this.session, shows, atHome);
    let broken = 0;
    this.bulk = new BulkLink({
      wanted: () => events.bulkWanted(),
      arrived: (channel) => this.#arrived(channel),
      transferred: (...transfer) => events.transferred(...transfer),
      down: (error) => {
        // What breaks the protocol again and again will not mend by itself.
        if (error instanceof SkyError && ++broken >= BROKEN_MAX) events.down(error);
      },
    });
    this.#large = new LargeSending(this.session, this.bulk);
  }

  get up(): boolean {
    return this.session.up;
  }

  /** Of both links. */
  get counters(): SessionCounters {
    const { counters } = this.session;
    const { bytesSent, bytesReceived } = this.bulk.counters;
    return {
      ...counters,
      bytesSent: counters.bytesSent + bytesSent,
      bytesReceived: counters.bytesReceived + bytesReceived,
    };
  }

  /**
   * Goes on over a stream whose first line has been sent. False when the host is another one than before, so that all
   * this link had sent is gone.
   * @throws SkyError when the agent refuses, or does not answer
   */
  async attach(stream: Duplex): Promise<boolean> {
    try {
      return await this.#attach(stream);
    } catch (error) {
      stream.on("error", () => {});
      stream.destroy();
      throw error;
    }
  }

  /** Goes on with large values over a stream whose first line has been sent. */
  async attachBulk(stream: Duplex): Promise<void> {
    try {
      this.bulk.detach();
      stream.write(`${JSON.stringify({ session: this.#id, sending: this.bulk.state.sending })}\n`);
      const { line, rest } = await readLine(stream, BULK_STATE_MAX_BYTES, ANSWER_MS);
      const answer = parse(line) as Answer & BulkState;
      if (!answer.ok) throw refusal(answer, line);
      stream.write(`${JSON.stringify({ received: this.bulk.receivedOf(answer.sending) })}\n`);
      this.bulk.attach(stream, answer.received, rest);
    } catch (error) {
      stream.on("error", () => {});
      stream.destroy();
      throw error;
    }
  }

  async #attach(stream: Duplex): Promise<boolean> {
    stream.write(`${JSON.stringify({ session: this.#id, received: this.session.received })}\n`);
    const { line, rest } = await readLine(stream, 4096, ANSWER_MS);
    const answer = parse(line);
    if (!answer.ok) throw refusal(answer, line);
    if (this.#id !== "" && answer.session !== this.#id) {
      if (answer.left !== undefined) await this.#takeLeft(stream, rest, answer.left);
      stream.destroy();
      return false;
    }
    if (this.#id === "" && answer.kept !== undefined) this.#shipping.waitForHave();
    this.#id = answer.session ?? "";
    this.session.attach(stream, answer.received ?? 0, rest);
    return true;
  }

  /** Outcomes of this session that its host left on disk when it went. */
  async #takeLeft(stream: Duplex, rest: Buffer, bytes: number): Promise<void> {
    if (rest.length > 0) stream.unshift(rest);
    await readLeft(new ByteSource(stream), bytes, {
      outcomes: (record) => this.#events.outcomes(this, record, 0, record.length),
      large: (header, status, parts) => {
        const end = Buffer.from([5, status === Status.THREW ? Status.THREW_LARGE : Status.RETURNED_LARGE, 0, 0, 0, 0]);
        this.#left = parts;
        this.#events.outcomes(this, Buffer.concat([header, end]), 0, header.length + end.length);
      },
    });
  }

  prepare(code: Code): Promise<void> {
    return this.#shipping.prepare(code);
  }

  tasks(segment: Segment, index: number, count: number, attempt: number): void {
    let later = false;
    this.#shipping.with(segment.bind, () => {
      this.#tasks(segment, index, count, attempt);
      if (later) this.#overtaken(segment, index, count);
    });
    later = true;
  }

  revoke(count: number): void {
    this.session.open(Op.REVOKE);
    this.session.out.u32(count);
    this.session.close();
  }

  cancel(first: number, count: number, why?: Uint8Array): void {
    const { session } = this;
    this.#large.cancel(first, count);
    session.open(why ? Op.CANCEL_WITH : Op.CANCEL);
    if (why) writeCancelWith(session.out, first, count, why);
    else writeRange(session.out, first, count);
    session.close();
  }

  forget(bind: Bind): void {
    this.#shipping.forget(bind);
  }

  unshare(share: SharedValue): void {
    this.#large.unshare(share);
  }

  topology(info: object): void {
    this.session.sendJson(Op.TOPOLOGY, info);
    this.session.flush();
  }

  flush(): void {
    this.session.flush();
  }

  get streams(): StreamOutbox {
    return this.session.streams;
  }

  take(channel: number): Buffer {
    return this.session.channels.take(channel);
  }

  takeLarge(channel: number): Uint8Array[] {
    return channel === LEFT_CHANNEL ? this.#left : this.bulk.take(channel).parts;
  }

  dispose(): void {
    this.#debugPorts.dispose();
    this.session.dispose();
    this.#shipping.dispose();
    this.bulk.dispose();
  }

  #tasks(segment: Segment, index: number, count: number, attempt: number): void {
    const { session } = this;
    let at = index;
    const end = index + count;
    while (at < end) {
      const big = segment.big(at);
      if (big) {
        if (!segment.sources?.has(at) && this.#large.isLarge(big)) this.#large.task(segment, at, attempt, big);
        else this.#bulkTask(segment, at, attempt, big.head);
        at++;
        continue;
      }
      const many = segment.fit(at, end - at, FRAME_TARGET_BYTES);
      session.open(Op.TASKS);
      writeTasksHeader(
        session.out,
        segment.bind.id,
        segment.single ? Mode.ITEM : Mode.ARGUMENTS,
        attempt,
        segment.first + at,
        many,
      );
      segment.write(session.out, at, many);
      session.close();
      at += many;
    }
  }

  #bulkTask(segment: Segment, index: number, attempt: number, bytes: Uint8Array): void {
    const { session } = this;
    const streams = segment.sources?.has(index) ?? false;
    if (streams && bytes.length <= INLINE_MAX_BYTES) {
      session.open(Op.TASKS);
      writeTasksHeader(session.out, segment.bind.id, Mode.STREAMS, attempt, segment.first + index, 1);
      session.out.bytes(bytes);
      session.close();
      return;
    }
    const mode = streams ? Mode.BULK_STREAMS : segment.single ? Mode.BULK_ITEM : Mode.BULK_ARGUMENTS;
    session.bulk.send(bytes, (channel) => {
      session.open(Op.TASKS);
      writeTasksHeader(session.out, segment.bind.id, mode, attempt, segment.first + index, 1);
      session.out.u32(channel);
      session.close();
      this.#overtaken(segment, index, 1);
    });
  }

  #arrived(channel: number): void {
    const outcome = this.#arriving.get(channel);
    if (!outcome) return;
    this.#arriving.delete(channel);
    this.#events.outcomes(this, outcome, 0, outcome.length);
  }

  /** Tasks that were cancelled while what they need was still leaving: their cancel went ahead of them. */
  #overtaken(segment: Segment, index: number, count: number): void {
    for (let i = index; i < index + count; i++) if (segment.state(i) >= State.DONE) this.cancel(segment.first + i, 1);
  }

  #note(note: NoteRecord): void {
    if (note.type === "code") this.#shipping.answered(note.code, note.error);
    else if (note.type === "npm") void this.#shipping.npm();
    else this.#events.note(note);
  }

  #record(op: number, buf: Buffer, start: number, end: number): void {
    switch (op) {
      case Op.OUTCOMES: {
        const channel = largeChannel(buf, start, end);
        if (channel === 0 || this.bulk.has(channel)) return this.#events.outcomes(this, buf, start, end);
        return void this.#arriving.set(channel, Buffer.from(buf.subarray(start, end)));
      }
      case Op.MISSING:
        need(start, end, 4, "MISSING");
        return this.#large.again(buf.readUInt32LE(start));
      case Op.BULK_WANTED:
        return this.bulk.up ? undefined : this.#events.bulkWanted();
      case Op.REVOKED:
        return this.#events.revoked(this, readRanges(buf, start, end));
      case Op.LOST:
        return this.#events.lost(this, readJson<LostRecord>(buf, start, end));
      case Op.LOG:
        if (end - start < 9) throw new SkyError("SKY_WIRE_MALFORMED", "a LOG record that is too short");
        return this.#events.log(
          buf.readDoubleLE(start),
          buf[start + 8] === 2 ? "stderr" : "stdout",
          buf.toString("utf8", start + 9, end),
        );
      case Op.HAVE:
        return this.#shipping.have(buf.subarray(start, end));
      case Op.NOTE:
        return this.#note(readJson<NoteRecord>(buf, start, end));
      default:
        if (op >= Op.INSPECTOR && op <= Op.DEBUGGED_END) return this.#debugPorts.record(op, buf, start, end);
        if (isStreamOp(op)) return this.#events.stream(this, op, buf, start, end);
        throw new SkyError("SKY_WIRE_MALFORMED", `no record has the operation ${op}`);
    }
  }
}

function parse(line: string): Answer {
  try {
    return JSON.parse(line) as Answer;
  } catch (cause) {
    throw new SkyError("SKY_WIRE_MALFORMED", "the node's answer is not JSON", { cause });
  }
}

function refusal({ code, error, retryable = false }: Answer, line: string): SkyError {
  return new SkyError(code ?? "SKY_WIRE_MALFORMED", `the node refused the link: ${error ?? line}`, { retryable });
}
