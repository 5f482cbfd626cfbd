import type { Duplex } from "node:stream";
import { SkyError } from "../../errors/sky-error.ts";
import type { ErrorCode } from "../../errors/codes.ts";
import { readLine } from "../../wire/hello.ts";
import { FRAME_TARGET_BYTES, INLINE_MAX_BYTES, Mode, Op } from "../../wire/ops.ts";
import {
  type LostRecord,
  type NoteRecord,
  readJson,
  readRanges,
  writeRange,
  writeTasksHeader,
} from "../../wire/records.ts";
import { Session } from "../../wire/session.ts";
import type { Code } from "../../function/capture/code.ts";
import type { StreamOutbox } from "../../wire/stream/outbox.ts";
import { isStreamOp } from "../../wire/stream/records.ts";
import type { Bind } from "../dispatch/bind.ts";
import type { NodePort } from "../dispatch/node-port.ts";
import { type Segment, State } from "../dispatch/segment.ts";
import type { NodeClock } from "./node-clock.ts";
import type { NodeNote } from "./node-note.ts";
import { type ShowsOutput, Shipping } from "./shipping.ts";

const ANSWER_MS = 15_000;

export interface DataLinkEvents {
  outcomes(port: NodePort, buf: Buffer, start: number, end: number): void;
  revoked(port: NodePort, ranges: readonly { first: number; count: number }[]): void;
  lost(port: NodePort, record: LostRecord): void;
  log(task: number, stream: "stdout" | "stderr", text: string): void;
  note(note: NodeNote): void;
  stream(port: NodePort, op: number, buf: Buffer, start: number, end: number): void;
  transferred(direction: "in" | "out", bytes: number, elapsedMs: number): void;
  /** The stream is gone; the session can go on over another. */
  down(error: Error | undefined): void;
}

interface Answer {
  readonly ok: boolean;
  readonly session?: string;
  readonly received?: number;
  readonly code?: ErrorCode;
  readonly error?: string;
  readonly retryable?: boolean;
}

/** The controller's end of a node's data link: the session with one host, over as many streams as it takes. */
export class DataLink implements NodePort {
  readonly rank: number;
  readonly clock: NodeClock;
  readonly session: Session;
  readonly #shipping: Shipping;
  readonly #events: DataLinkEvents;
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
    this.#shipping = new Shipping(rank, this.session, shows, atHome);
  }

  get up(): boolean {
    return this.session.up;
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

  async #attach(stream: Duplex): Promise<boolean> {
    stream.write(`${JSON.stringify({ session: this.#id, received: this.session.received })}\n`);
    const { line, rest } = await readLine(stream, 4096, ANSWER_MS);
    const answer = parse(line);
    if (!answer.ok)
      throw new SkyError(answer.code ?? "SKY_WIRE_MALFORMED", `the node refused the link: ${answer.error ?? line}`, {
        retryable: answer.retryable ?? false,
      });
    if (this.#id !== "" && answer.session !== this.#id) {
      stream.destroy();
      return false;
    }
    this.#id = answer.session ?? "";
    this.session.attach(stream, answer.received ?? 0, rest);
    return true;
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

  cancel(first: number, count: number): void {
    this.session.open(Op.CANCEL);
    writeRange(this.session.out, first, count);
    this.session.close();
  }

  forget(bind: Bind): void {
    this.#shipping.forget(bind);
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

  dispose(): void {
    this.session.dispose();
    this.#shipping.dispose();
  }

  #tasks(segment: Segment, index: number, count: number, attempt: number): void {
    const { session } = this;
    let at = index;
    const end = index + count;
    while (at < end) {
      const big = segment.big(at);
      if (big) {
        this.#bulkTask(segment, at, attempt, big);
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

  #bulkTask(segment: Segment, index: number, attempt: number, bytes: Buffer): void {
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
      case Op.OUTCOMES:
        return this.#events.outcomes(this, buf, start, end);
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
      case Op.NOTE:
        return this.#note(readJson<NoteRecord>(buf, start, end));
      default:
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
