import type { Duplex } from "node:stream";
import { randomUUID } from "node:crypto";
import { SkyError } from "../../errors/sky-error.ts";
import type { InstanceFacts } from "../../task/instance-info.ts";
import { encodeReason } from "../../wire/cancel-reason.ts";
import { readLine } from "../../wire/hello.ts";
import { Mode, Op, PACK_MAX_BYTES } from "../../wire/ops.ts";
import { unpack } from "../../wire/packed.ts";
import {
  type BindRecord,
  type CodeRecord,
  need,
  readLargeTask,
  readJson,
  readCancel,
  readTasksHeader,
  TASKS_HEADER,
  writeRange,
  type LostRecord,
  type NoteRecord,
  type NpmRecord,
} from "../../wire/records.ts";
import { Session } from "../../wire/session.ts";
import { isStreamOp, readPlace } from "../../wire/stream/records.ts";
import type { HostConfig } from "../config.ts";
import type { LargeOutcomeMessage, StreamMessage } from "../executors/messages.ts";
import { Executors } from "./executors.ts";
import { checkStreams } from "./check-streams.ts";
import { copyOf } from "./copy-of.ts";
import { LargeValues } from "./large-values.ts";
import { KeptOutcomes } from "./kept-outcomes.ts";
import { answerLeft, outcomesDir } from "../left-behind.ts";
import { Inspectors } from "./inspectors.ts";
import { nodeNow } from "./node-now.ts";
import { Placing } from "./placing.ts";
import { LineLimit } from "./line-limit.ts";
import { writeFailure } from "./write-failure.ts";

const HELLO_MS = 10_000;
/** Stands for the task of a line that belongs to the node. */
const NO_TASK = -1;
const NOTHING = new Uint8Array(0);

/** Carries the executors of a node and has the data link's stream. Runs no user code on its main thread. */
export class Host {
  readonly #placing: Placing;
  readonly #executor: Executors;
  readonly #dir: string;
  readonly #inspectors = new Inspectors(() => this.#session);
  #session: Session;
  #sessionId: string;
  #large: LargeValues;
  readonly #lines = new LineLimit();
  readonly #kept = new KeptOutcomes({
    dir: () => outcomesDir(this.#dir, this.#sessionId),
    session: () => this.#session,
    bulk: () => this.#large.bulk,
    lost: (id, attempt, detail) => this.#json(Op.LOST, { tasks: [{ id, attempt }], detail, innocent: true }),
  });
  #flushing = false;
  /** Frames that had arrived when the last malformed one came; -1 when a good one has come since. */
  #brokenAt = -1;
  #info: InstanceFacts;

  /** @param info what the node knows of itself */
  constructor(config: HostConfig, info: InstanceFacts) {
    this.#placing = new Placing(config.dir, (note) => this.#json(Op.NOTE, note));
    this.#info = info;
    this.#dir = config.dir;
    this.#large = this.#newLarge();
    this.#session = this.#newSession();
    this.#sessionId = randomUUID();
    this.#executor = new Executors(config, this.#info, {
      outcomes: (records) => {
        this.#session.raw(records);
        this.#flushSoon();
      },
      bulkOutcome: (outcome) => this.#bulkOutcome(outcome),
      parts: (large) => this.#large.parts(large),
      timedOut: (id, attempt, limitMs) =>
        this.#failed(
          id,
          attempt,
          new SkyError("SKY_TASK_TIMEOUT", `the run limit of ${limitMs / 1000} s (timeout) has passed`, {
            details: { limit: "timeout", limitMs },
          }),
          limitMs * 1000,
        ),
      cancelled: (id, attempt) => this.#cancelled(id, attempt),
      lost: (tasks, detail, culprit, innocent, end) =>
        this.#json(Op.LOST, {
          tasks,
          detail,
          innocent: innocent || culprit !== undefined,
          ...(culprit === undefined ? {} : { culprit }),
          ...(end && { end }),
        } satisfies LostRecord),
      line: (id, stream, text) => this.#line(id, stream, text),
      progress: (id, done, of) =>
        this.#json(Op.NOTE, { type: "progress", id, done, of: Number.isNaN(of) ? null : of } satisfies NoteRecord),
      stream: (message) => this.#stream(message),
      inspector: (news) => this.#inspectors.tell(news),
      stuck: (culprit) => this.#stuck(culprit),
    });
  }

  /** Tasks are here that have no outcome yet. */
  get busy(): boolean {
    return this.#executor.busy;
  }

  /** Takes over a new data stream. Its second line says which session goes on and how much of it has arrived. */
  async link(stream: Duplex): Promise<void> {
    stream.on("error", () => stream.destroy());
    try {
      const { line, rest } = await readLine(stream, 1024, HELLO_MS);
      const hello = JSON.parse(line) as { session?: unknown; received?: unknown };
      const resumes = hello.session === this.#sessionId;
      // A session that this host never had was an earlier host's: a new one begins.
      if (!resumes) this.#reset();
      if (answerLeft(stream, this.#dir, hello.session, this.#sessionId)) return;
      const received = resumes && Number.isSafeInteger(hello.received) ? (hello.received as number) : 0;
      stream.write(this.#placing.answer(this.#sessionId, this.#session.received));
      this.#session.attach(stream, received, rest);
      this.#tellDropped();
    } catch (error) {
      const { code, retryable } = error instanceof SkyError ? error : { code: "SKY_WIRE_MALFORMED", retryable: false };
      stream.end(`${JSON.stringify({ ok: false, code, retryable, error: (error as Error).message })}\n`);
    }
  }

  /** Takes over a new bulk stream. */
  linkBulk(stream: Duplex): void {
    stream.on("error", () => stream.destroy());
    void this.#large.link(stream, this.#sessionId);
  }

  /** Lets go of the streams: a newer controller has the node now. */
  fence(): void {
    this.#session.detach();
    this.#large.detach();
  }

  /** @param why the tasks that run are told so by their signals */
  async close(why: string): Promise<void> {
    this.#kept.dispose();
    this.#session.dispose();
    this.#large.dispose();
    this.#executor.cancel(0, Number.MAX_SAFE_INTEGER, encodeReason(new SkyError("SKY_POOL_CLOSED", why)));
    await this.#executor.close();
  }

  #reset(): void {
    if (this.#session.received + this.#session.sent > 0) {
      // What this answers belongs to the session that ends: the next one knows nothing of these tasks.
      this.#executor.cancel(0, Number.MAX_SAFE_INTEGER);
      this.#kept.reset();
      this.#session.dispose();
      this.#placing.reset();
      this.#inspectors.reset();
      this.#session = this.#newSession();
      this.#large.dispose();
      this.#large = this.#newLarge();
    }
    this.#sessionId = randomUUID();
  }

  #newLarge(): LargeValues {
    return new LargeValues(this.#dir, () => this.#session, {
      ready: (work) => {
        this.#executor.take(work);
        // Those that became ready together leave together.
        queueMicrotask(this.#send);
      },
      cancelled: (id, attempt) => this.#cancelled(id, attempt),
      said: () => this.#flushSoon(),
      log: (line) => this.#log(NO_TASK, "stderr", line),
    });
  }

  #send = (): void => this.#executor.send();

  #newSession(): Session {
    const session: Session = new Session({
      record: (op, buf, start, end) => this.#record(session, op, buf, start, end),
      arrived: () => {
        this.#brokenAt = -1;
        this.#executor.send();
        this.#kept.heard();
      },
      // By the control link, as a line of the node: the data link has no place left to say it.
      down: (error) => {
        if (session === this.#session) this.#kept.cut();
        if (!(error instanceof SkyError)) return;
        console.error(`the data link was closed: ${error.code}: ${error.message}`);
        if (session !== this.#session) return;
        // Twice at the same place, with nothing good between: that is what the controller has to send, so it has to begin anew.
        if (session.received === this.#brokenAt) this.#reset();
        this.#brokenAt = session.received;
      },
    });
    return this.#placing.greet(session);
  }

  #record(session: Session, op: number, buf: Buffer, start: number, end: number): void {
    switch (op) {
      case Op.TASKS:
        return this.#tasks(session, buf, start, end);
      case Op.BLOB:
        // An inline file may be empty.
        need(start, end, buf[start + 32] === 1 ? 37 : 33, "BLOB");
        return this.#blob(session, buf, start, end);
      case Op.CODE:
        return this.#code(session, buf.subarray(start, end));
      case Op.FILES:
        need(start, end, 1, "FILES");
        return this.#placing.library.addFiles(unpack(this.#content(session, buf, start, end), PACK_MAX_BYTES));
      case Op.NPM:
        return this.#placing.npm(readJson<NpmRecord>(buf, start, end));
      case Op.BIND:
        return this.#bind(session, buf, start, end);
      case Op.UNBIND:
        need(start, end, 4, "UNBIND");
        return this.#executor.unbind(buf.readUInt32LE(start));
      case Op.REVOKE:
        need(start, end, 4, "REVOKE");
        return this.#revoke(buf.readUInt32LE(start));
      case Op.CANCEL:
      case Op.CANCEL_WITH: {
        const { ranges, why } = readCancel(op, buf, start, end);
        for (const { first, count } of ranges) {
          this.#large.cancel(first, count);
          this.#executor.cancel(first, count, why);
        }
        return;
      }
      case Op.SHARE:
        need(start, end, 8, "SHARE");
        return this.#large.share(buf.readUInt32LE(start), buf.readUInt32LE(start + 4));
      case Op.UNSHARE:
        need(start, end, 4, "UNSHARE");
        return this.#large.unshare(buf.readUInt32LE(start));
      case Op.TOPOLOGY: {
        const { complete, ...facts } = readJson<Partial<InstanceFacts> & { complete?: boolean }>(buf, start, end);
        this.#info = { ...this.#info, ...facts };
        this.#executor.setInfo(this.#info);
        return complete === true ? this.#executor.open() : undefined;
      }
      default:
        if (op === Op.DEBUG || op === Op.DEBUG_END) return this.#inspectors.record(op, buf, start, end);
        if (isStreamOp(op)) return this.#streamRecord(session, op, buf, start, end);
        throw new SkyError("SKY_WIRE_MALFORMED", `no record has the operation ${op}`);
    }
  }

  #code(session: Session, packed: Buffer): void {
    const json = unpack(packed, PACK_MAX_BYTES);
    this.#placing.code(readJson<CodeRecord>(json, 0, json.length), () => session === this.#session);
  }

  #tasks(session: Session, buf: Buffer, start: number, end: number): void {
    const header = readTasksHeader(buf, start, end);
    if (header.mode === Mode.LARGE_ARGUMENTS || header.mode === Mode.LARGE_ITEM) {
      if (header.count !== 1) throw new SkyError("SKY_WIRE_MALFORMED", "a large task comes alone");
      const large = readLargeTask(buf, start + TASKS_HEADER, end);
      return this.#large.task({ ...header, body: NOTHING }, large, copyOf(buf, large.start, end));
    }
    if (header.count === 0 || header.count > 32_768 || header.mode > Mode.BULK_STREAMS)
      throw new SkyError("SKY_WIRE_MALFORMED", "a TASKS record with a header that can't be");
    if (header.mode < Mode.BULK_ARGUMENTS || header.mode === Mode.STREAMS) {
      if (header.mode === Mode.STREAMS) checkStreams(header.count, buf, start + TASKS_HEADER, end);
      this.#executor.take({ ...header, body: copyOf(buf, start + TASKS_HEADER, end) });
      return;
    }
    need(start, end, TASKS_HEADER + 4, "TASKS");
    if (header.count !== 1) throw new SkyError("SKY_WIRE_MALFORMED", "a bulk task comes alone");
    const body = session.channels.take(buf.readUInt32LE(start + TASKS_HEADER));
    if (header.mode === Mode.BULK_STREAMS) checkStreams(1, body, 0, body.length);
    const mode = header.mode === Mode.BULK_STREAMS ? Mode.STREAMS : header.mode;
    this.#executor.take({ ...header, mode, body });
  }

  #streamRecord(session: Session, op: number, buf: Buffer, start: number, end: number): void {
    const place = readPlace(buf, start, end);
    if (op !== Op.ELEMENT) {
      if (op !== Op.STOP) need(start, end, op === Op.GRANT ? 16 : op === Op.ELEMENTS ? 12 : 9, "stream");
      return this.#executor.record(Buffer.from(copyOf(buf, start - 5, end).buffer));
    }
    need(start, end, 12, "ELEMENT");
    this.#executor.element(place, session.channels.take(buf.readUInt32LE(start + 8)));
  }

  #stream(message: StreamMessage): void {
    if (message.type === "stream") this.#session.streams.record(message.record);
    else this.#session.streams.element(message.place, message.value);
    this.#flushSoon();
  }

  #blob(session: Session, buf: Buffer, start: number, end: number): void {
    this.#placing.library.addBlob(buf.toString("hex", start, start + 32), this.#content(session, buf, start + 32, end));
  }

  /** kind u8: 0 inline and then the bytes, 1 and then the channel u32. */
  #content(session: Session, buf: Buffer, start: number, end: number): Buffer {
    if (buf[start] !== 1) return buf.subarray(start + 1, end);
    need(start, end, 5, "FILES");
    return session.channels.take(buf.readUInt32LE(start + 1));
  }

  #bind(session: Session, buf: Buffer, start: number, end: number): void {
    need(start, end, 4, "BIND");
    const length = buf.readUInt32LE(start);
    need(start + 4, end, length, "BIND");
    const bind = readJson<BindRecord>(buf, start + 4, start + 4 + length);
    const values =
      bind.channel === undefined
        ? Uint8Array.prototype.slice.call(buf, start + 4 + length, end)
        : session.channels.take(bind.channel);
    this.#executor.bind(
      {
        id: bind.bind,
        entry: this.#placing.library.entry(bind.code),
        values,
        stdout: bind.stdout,
        stderr: bind.stderr,
        limitMs: bind.limitMs,
        limited: bind.limited,
        inspect: bind.inspect === true,
      },
      this.#placing.library.isNative(bind.code) ? "native" : undefined,
    );
  }

  #revoke(count: number): void {
    const works = this.#executor.revoke(count);
    this.#session.open(Op.REVOKED);
    for (const work of works) writeRange(this.#session.out, work.first, work.count);
    this.#session.close();
    this.#flushSoon();
  }

  #cancelled(id: number, attempt: number): void {
    this.#failed(id, attempt, new SkyError("SKY_TASK_CANCELLED", "the task was cancelled"));
  }

  #failed(id: number, attempt: number, error: SkyError, elapsedUs = 0): void {
    writeFailure(this.#session, id, attempt, error, elapsedUs, nodeNow());
    this.#flushSoon();
  }

  #bulkOutcome(outcome: LargeOutcomeMessage): void {
    this.#kept.large(outcome, nodeNow());
    this.#flushSoon();
  }

  #line(id: number, stream: "stdout" | "stderr", text: string): void {
    if (!this.#lines.keeps(this.#session, text.length)) return;
    if (this.#session.up) this.#tellDropped();
    this.#log(id, stream, text);
  }

  #tellDropped(): void {
    const dropped = this.#lines.told();
    if (dropped !== undefined) this.#log(NO_TASK, "stderr", dropped);
  }

  #log(id: number, stream: "stdout" | "stderr", text: string): void {
    const { out } = this.#session;
    this.#session.open(Op.LOG);
    out.f64(id);
    out.u8(stream === "stdout" ? 1 : 2);
    out.bytes(Buffer.from(text));
    this.#session.close();
    this.#flushSoon();
  }

  #json(op: number, body: LostRecord | NoteRecord): void {
    this.#session.sendJson(op, body);
    this.#flushSoon();
  }

  /** A thread that can't be ended takes the process with it; what is written leaves first, as far as it goes. */
  #stuck(culprit: number): void {
    this.#json(Op.NOTE, { type: "killing", culprit });
    this.#session.flush();
    setTimeout(() => process.kill(process.pid, "SIGKILL"), 50);
  }

  #flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    setImmediate(() => {
      this.#flushing = false;
      this.#session.flush();
      this.#kept.flushed();
    });
  }
}
