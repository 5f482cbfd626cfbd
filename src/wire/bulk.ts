import { SkyError } from "../errors/sky-error.ts";
import { CHANNEL_CREDIT_BYTES, CHANNEL_MAX_BYTES, CHUNK_BYTES, Op } from "./ops.ts";
import type { Session } from "./session.ts";

/** Channels that a peer may have open at a time. */
const CHANNELS_MAX = 1024;
/** Room that a channel gets before its bytes come. */
const FIRST_ROOM_BYTES = 16 * 1024 * 1024;

interface Outgoing {
  readonly id: number;
  readonly bytes: Uint8Array;
  readonly sent: () => void;
  readonly began: number;
  at: number;
  credit: number;
}

/** Sends large values in chunks: round robin over channels, within each receiver's credit, behind all control. */
export class BulkSender {
  readonly #session: Session;
  #queue: Outgoing[] = [];
  #turn = 0;
  #nextId = 1;

  constructor(session: Session) {
    this.#session = session;
  }

  /** Bytes that have not left yet. */
  get queuedBytes(): number {
    let sum = 0;
    for (const { bytes, at } of this.#queue) sum += bytes.byteLength - at;
    return sum;
  }

  get pending(): boolean {
    return this.#queue.length > 0;
  }

  /** Opens a channel for `bytes`. `sent` runs when all are in frames: a record written there arrives after them. */
  send(bytes: Uint8Array, sent: (channel: number) => void): number {
    const id = this.#nextId++;
    const session = this.#session;
    session.open(Op.OPEN);
    session.out.u32(id);
    session.out.f64(bytes.byteLength);
    session.close();
    this.#queue.push({
      id,
      bytes,
      sent: () => sent(id),
      began: performance.now(),
      at: 0,
      credit: CHANNEL_CREDIT_BYTES,
    });
    return id;
  }

  abort(id: number): void {
    const index = this.#queue.findIndex((one) => one.id === id);
    if (index < 0) return;
    this.#queue.splice(index, 1);
    this.#session.open(Op.ABORT);
    this.#session.out.u32(id);
    this.#session.close();
  }

  credit(buf: Buffer, start: number, end: number): void {
    if (end - start !== 8) throw new SkyError("SKY_WIRE_MALFORMED", "a credit record of the wrong length");
    const id = buf.readUInt32LE(start);
    const one = this.#queue.find((each) => each.id === id);
    if (one) one.credit += buf.readUInt32LE(start + 4);
  }

  /** Writes chunks while the peer and the stream have room. */
  pump(): void {
    const session = this.#session;
    let stuck = 0;
    while (this.#queue.length > 0 && stuck < this.#queue.length && session.bulkRoom) {
      if (this.#turn >= this.#queue.length) this.#turn = 0;
      const one = this.#queue[this.#turn]!;
      const size = Math.min(CHUNK_BYTES, one.bytes.byteLength - one.at);
      if (size > one.credit) {
        stuck++;
        this.#turn++;
        continue;
      }
      stuck = 0;
      if (size > 0) {
        session.open(Op.CHUNK);
        session.out.u32(one.id);
        session.out.bytes(one.bytes.subarray(one.at, one.at + size));
        session.close();
      }
      one.at += size;
      one.credit -= size;
      if (one.at < one.bytes.byteLength) this.#turn++;
      else {
        this.#queue.splice(this.#turn, 1);
        session.transferred("out", one.bytes.byteLength, one.began);
        one.sent();
      }
    }
  }

  reset(): void {
    this.#queue = [];
  }
}

interface Incoming {
  bytes: Buffer;
  readonly size: number;
  readonly began: number;
  at: number;
  owed: number;
  granted: number;
}

/** Gathers what the peer's channels bring, until a record takes it. */
export class BulkReceiver {
  readonly #session: Session;
  readonly #channels = new Map<number, Incoming>();

  constructor(session: Session) {
    this.#session = session;
  }

  record(op: number, buf: Buffer, start: number, end: number): void {
    if (end - start < 4) throw new SkyError("SKY_WIRE_MALFORMED", "a channel record without its channel");
    const id = buf.readUInt32LE(start);
    if (op === Op.OPEN) this.#open(id, buf, start, end);
    else if (op === Op.ABORT) this.#channels.delete(id);
    else this.#chunk(id, buf, start + 4, end);
  }

  /** The whole value of a channel, which is closed by this. */
  take(id: number): Buffer {
    const one = this.#channels.get(id);
    if (!one || one.at !== one.size) throw new SkyError("SKY_WIRE_MALFORMED", `channel ${id} is not complete`);
    this.#channels.delete(id);
    return one.bytes;
  }

  reset(): void {
    this.#channels.clear();
  }

  #open(id: number, buf: Buffer, start: number, end: number): void {
    const size = end - start === 12 ? buf.readDoubleLE(start + 4) : -1;
    if (this.#channels.size >= CHANNELS_MAX)
      throw new SkyError("SKY_WIRE_MALFORMED", `more than ${CHANNELS_MAX} channels are open`);
    if (!Number.isInteger(size) || size < 0 || size > CHANNEL_MAX_BYTES || this.#channels.has(id)) {
      throw new SkyError("SKY_WIRE_MALFORMED", `channel ${id} announces ${size} bytes`);
    }
    // A word is not worth gigabytes: room is made as bytes come.
    this.#channels.set(id, {
      bytes: Buffer.allocUnsafeSlow(Math.min(size, FIRST_ROOM_BYTES)),
      size,
      began: performance.now(),
      at: 0,
      owed: 0,
      granted: CHANNEL_CREDIT_BYTES,
    });
  }

  #chunk(id: number, buf: Buffer, start: number, end: number): void {
    const one = this.#channels.get(id);
    const size = end - start;
    if (!one || size > one.size - one.at)
      throw new SkyError("SKY_WIRE_MALFORMED", `channel ${id} brings more than it announced`);
    if (one.at + size > one.granted) throw new SkyError("SKY_WIRE_MALFORMED", `channel ${id} goes past its credit`);
    if (one.at + size > one.bytes.length)
      one.bytes = grown(one.bytes, one.at, Math.min(one.size, Math.max(one.at + size, 4 * one.bytes.length)));
    buf.copy(one.bytes, one.at, start, end);
    one.at += size;
    one.owed += size;
    if (one.at === one.size) return this.#session.transferred("in", one.size, one.began);
    if (one.owed < CHANNEL_CREDIT_BYTES / 4) return;
    this.#session.open(Op.CREDIT);
    this.#session.out.u32(id);
    this.#session.out.u32(one.owed);
    this.#session.close();
    one.granted += one.owed;
    one.owed = 0;
    this.#session.flush();
  }
}

function grown(bytes: Buffer, used: number, size: number): Buffer {
  const out = Buffer.allocUnsafeSlow(size);
  bytes.copy(out, 0, 0, used);
  return out;
}
