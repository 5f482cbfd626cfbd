import type { Duplex } from "node:stream";
import { SkyError } from "../errors/sky-error.ts";
import { ByteWriter } from "../values/byte-writer.ts";
import { BulkReceiver, BulkSender } from "./bulk.ts";
import { FRAME_MAX_BYTES, FRAME_TARGET_BYTES, Op } from "./ops.ts";
import { FrameReader } from "./frame-reader.ts";
import { StreamOutbox } from "./stream/outbox.ts";

/** Unacknowledged bytes that make a receiver acknowledge at once. */
const ACK_BYTES = 256 * 1024;
/** Else an acknowledgement rides on the next frame, or leaves alone after this time. */
const ACK_DELAY_MS = 20;
/** Bulk waits while this much is on the way: what a control frame may find in front of it. 0.4 s at 20 Mbit/s. */
const BULK_IN_FLIGHT_BYTES = 1024 * 1024;
const HEADER_BYTES = 8;
const RECORD_HEADER_BYTES = 5;

export interface SessionHandlers {
  /** One record, `buf[start..end)`; what is kept must be copied. Throwing closes the link with that error. */
  record(op: number, buf: Buffer, start: number, end: number): void;
  /** A channel has brought or taken all of its bytes. */
  transferred?(direction: "in" | "out", bytes: number, elapsedMs: number): void;
  /** All records of one arrival have been handled. */
  arrived?(): void;
  /**
   * The link is gone; the session waits for the next `attach`. With a SkyError it was this end that gave it up, because
   * of what the peer sent: if the same comes again, the session is at its end.
   */
  down(error: Error | undefined): void;
}

export interface SessionCounters {
  bytesSent: number;
  bytesReceived: number;
  framesSent: number;
  writesSent: number;
}

/**
 * Records both ways over a byte stream that may be cut and replaced: each frame arrives once and in order.
 * A frame is `u32 length, u32 acknowledged, records`; frames with records are numbered from 1 by counting,
 * kept until acknowledged, and sent again after a cut. Little endian throughout.
 */
export class Session {
  readonly out = new ByteWriter(64 * 1024);
  readonly bulk: BulkSender;
  readonly channels: BulkReceiver;
  readonly streams: StreamOutbox;
  readonly counters: SessionCounters = { bytesSent: 0, bytesReceived: 0, framesSent: 0, writesSent: 0 };
  readonly #handlers: SessionHandlers;
  #stream: Duplex | undefined;
  #reader: FrameReader | undefined;
  /** Frames sent and not acknowledged, oldest first; the oldest has number `#acked + 1`. */
  #kept: Buffer[] = [];
  #keptBytes = 0;
  #unwritten = 0;
  #acked = 0;
  #sent = 0;
  #received = 0;
  #receivedSaid = 0;
  #bytesSinceAck = 0;
  #ackTimer: NodeJS.Timeout | undefined;
  #recordStart = -1;
  #disposed = false;

  constructor(handlers: SessionHandlers) {
    this.#handlers = handlers;
    this.bulk = new BulkSender(this);
    this.channels = new BulkReceiver(this);
    this.streams = new StreamOutbox(this);
  }

  /** Frames received so far: what a peer needs to know to send the rest again. */
  get received(): number {
    return this.#received;
  }

  /** Frames with records that have been made so far. */
  get sent(): number {
    return this.#sent;
  }

  /** How many of them the peer is known to have. */
  get acked(): number {
    return this.#acked;
  }

  /** Frames that were made after the first `count`, as far as they are not acknowledged. */
  framesAfter(count: number): readonly Buffer[] {
    return this.#kept.slice(Math.max(0, count - this.#acked));
  }

  get up(): boolean {
    return this.#stream !== undefined;
  }

  /** Bytes on the way to the peer, not yet acknowledged. */
  get inFlightBytes(): number {
    return this.#keptBytes;
  }

  get bulkRoom(): boolean {
    return this.#stream !== undefined && this.#keptBytes < BULK_IN_FLIGHT_BYTES;
  }

  /** Begins a record; write its body to `out`, then call `close`. */
  open(op: number): void {
    this.#recordStart = this.out.pos;
    this.out.u8(op);
    this.out.u32(0);
  }

  close(): void {
    const { out } = this;
    out.buf.writeUInt32LE(out.pos - this.#recordStart - RECORD_HEADER_BYTES, this.#recordStart + 1);
    if (out.pos >= FRAME_TARGET_BYTES) this.#seal();
  }

  /** A whole record whose body exists already. */
  send(op: number, body: Uint8Array): void {
    this.open(op);
    this.out.bytes(body);
    this.close();
  }

  /** Records that exist already, headers included. */
  raw(records: Uint8Array): void {
    this.out.bytes(records);
    if (this.out.pos >= FRAME_TARGET_BYTES) this.#seal();
  }

  /** Whole records that `write` writes to `out`. */
  whole(write: () => void): void {
    write();
    if (this.out.pos >= FRAME_TARGET_BYTES) this.#seal();
  }

  sendJson(op: number, body: unknown): void {
    this.send(op, Buffer.from(JSON.stringify(body)));
  }

  /** Sends what has been written since the last flush, in one write where the stream takes it. */
  flush(): void {
    if (this.out.pos > 0) this.#seal();
    this.streams.pump();
    this.bulk.pump();
    if (this.out.pos > 0) this.#seal();
    this.#write();
  }

  /** Continues over a new stream. `peerReceived`: frames of ours that the peer has. */
  attach(stream: Duplex, peerReceived: number, leftover?: Buffer): void {
    this.detach();
    if (peerReceived < this.#acked || peerReceived > this.#sent) {
      throw new SkyError(
        "SKY_WIRE_MALFORMED",
        `the peer says it has ${peerReceived} frames; ${this.#acked} to ${this.#sent} are possible`,
      );
    }
    this.#acknowledged(peerReceived);
    this.#stream = stream;
    this.#reader = new FrameReader(FRAME_MAX_BYTES);
    this.#unwritten = this.#kept.length;
    stream.on("data", this.#onData);
    stream.on("error", (error) => {
      if (this.#stream === stream) this.#fail(error);
    });
    stream.on("close", this.#onClose);
    stream.on("end", this.#onClose);
    this.#write();
    if (leftover && leftover.length > 0) this.#onData(leftover);
    stream.resume();
    this.flush();
    // One that ended between its answer and now has told its end already.
    if (stream.destroyed) this.#fail(undefined);
  }

  /** Lets go of the stream without telling the handlers. */
  detach(): void {
    const stream = this.#stream;
    if (!stream) return;
    this.#stream = undefined;
    this.#reader = undefined;
    stream.off("data", this.#onData);
    stream.off("close", this.#onClose);
    stream.off("end", this.#onClose);
    stream.destroy();
  }

  /** Whether it is at its end: what is written to it goes nowhere. */
  get disposed(): boolean {
    return this.#disposed;
  }

  /** A channel that was opened at `began` of `performance.now()` is through. */
  transferred(direction: "in" | "out", bytes: number, began: number): void {
    this.#handlers.transferred?.(direction, bytes, performance.now() - began);
  }

  /** Ends the session for good. */
  dispose(): void {
    this.#disposed = true;
    this.detach();
    clearTimeout(this.#ackTimer);
    this.#ackTimer = undefined;
    this.#kept = [];
    this.#keptBytes = 0;
    this.streams.reset();
    this.bulk.reset();
    this.channels.reset();
  }

  #seal(): void {
    const { out } = this;
    const frame = Buffer.allocUnsafe(HEADER_BYTES + out.pos);
    frame.writeUInt32LE(4 + out.pos, 0);
    out.buf.copy(frame, HEADER_BYTES, 0, out.pos);
    out.reset();
    this.#sent++;
    this.#kept.push(frame);
    this.#keptBytes += frame.length;
    if (this.#stream) this.#unwritten++;
  }

  #write(): void {
    const stream = this.#stream;
    if (!stream) return;
    const from = this.#kept.length - this.#unwritten;
    if (this.#unwritten === 0) return;
    this.#unwritten = 0;
    const many = this.#kept.length - from > 1;
    if (many) stream.cork();
    for (let i = from; i < this.#kept.length; i++) {
      const frame = this.#kept[i]!;
      frame.writeUInt32LE(this.#received >>> 0, 4);
      stream.write(frame);
      this.counters.bytesSent += frame.length;
      this.counters.framesSent++;
    }
    if (many) stream.uncork();
    this.counters.writesSent++;
    this.#ackSaid();
  }

  #ackSaid(): void {
    this.#receivedSaid = this.#received;
    this.#bytesSinceAck = 0;
  }

  #writeAck(): void {
    const stream = this.#stream;
    if (!stream || this.#receivedSaid === this.#received) return;
    const frame = Buffer.allocUnsafe(HEADER_BYTES);
    frame.writeUInt32LE(4, 0);
    frame.writeUInt32LE(this.#received >>> 0, 4);
    stream.write(frame);
    this.counters.bytesSent += HEADER_BYTES;
    this.counters.writesSent++;
    this.#ackSaid();
  }

  #acknowledged(count: number): void {
    const frames = count - this.#acked;
    if (frames <= 0) return;
    this.#acked = count;
    for (let i = 0; i < frames; i++) this.#keptBytes -= this.#kept[i]!.length;
    if (frames === this.#kept.length) this.#kept = [];
    else this.#kept.splice(0, frames);
  }

  #onData = (data: Buffer): void => {
    const reader = this.#reader;
    if (!reader) return;
    this.counters.bytesReceived += data.length;
    this.#bytesSinceAck += data.length;
    try {
      reader.push(data);
      for (let frame = reader.next(); frame; frame = reader.next()) this.#onFrame(frame.buf, frame.start, frame.end);
    } catch (error) {
      this.#fail(
        error instanceof SkyError
          ? error
          : new SkyError("SKY_WIRE_MALFORMED", `a record that can't be handled: ${String(error)}`, { cause: error }),
      );
      return;
    }
    this.#handlers.arrived?.();
    if (this.bulk.pending || this.streams.pending) this.flush();
    if (this.#received === this.#receivedSaid) return;
    if (this.#bytesSinceAck >= ACK_BYTES) this.#writeAck();
    else this.#ackTimer ??= setTimeout(this.#onAckTimer, ACK_DELAY_MS).unref();
  };

  #onAckTimer = (): void => {
    this.#ackTimer = undefined;
    this.#writeAck();
  };

  #onFrame(buf: Buffer, start: number, end: number): void {
    // Acknowledgements are sent modulo 2^32; the window is far smaller, so the difference is exact.
    const advance = (buf.readUInt32LE(start) - (this.#acked >>> 0)) >>> 0;
    if (this.#acked + advance > this.#sent - this.#unwritten) {
      throw new SkyError("SKY_WIRE_MALFORMED", "the peer acknowledged frames that were never sent");
    }
    this.#acknowledged(this.#acked + advance);
    let at = start + 4;
    if (at === end) return;
    while (at < end) {
      if (end - at < RECORD_HEADER_BYTES) throw new SkyError("SKY_WIRE_MALFORMED", "a record is cut off");
      const op = buf[at]!;
      const length = buf.readUInt32LE(at + 1);
      at += RECORD_HEADER_BYTES;
      if (length > end - at) throw new SkyError("SKY_WIRE_MALFORMED", `record ${op} is longer than its frame`);
      this.#onRecord(op, buf, at, at + length);
      at += length;
    }
    this.#received++;
  }

  #onRecord(op: number, buf: Buffer, start: number, end: number): void {
    if (op === Op.CHUNK || op === Op.OPEN || op === Op.ABORT) this.channels.record(op, buf, start, end);
    else if (op === Op.CREDIT) this.bulk.credit(buf, start, end);
    else this.#handlers.record(op, buf, start, end);
  }

  #onClose = (): void => this.#fail(undefined);

  #fail(error: Error | undefined): void {
    if (!this.#stream) return;
    this.detach();
    this.#handlers.down(error);
  }
}
