import { SkyError } from "../errors/sky-error.ts";
import { blockHash, HASH_BLOCK_BYTES } from "./block-hash.ts";
import { BULK_HEADER_BYTES, type BulkKind, BulkOp } from "./bulk-message.ts";
import type { Sink } from "./read-into.ts";
import { TOUCH_MIN_BYTES, TouchAhead } from "./touch-ahead.ts";

/** Channels that a peer may have open at a time. */
const CHANNELS_MAX = 4096;
const PARTS_MAX = 65_536;
const PART_MAX_BYTES = 4 * 1024 * 1024 * 1024 - 1;
/** An acknowledgement is written after so many bytes, and at the end. */
const ACK_BYTES = 1024 * 1024;
/** What is read between parts goes through here: a header, and what comes right behind it. */
const BETWEEN_BYTES = 16 * 1024;
/** One read brings at most this much; less than what is kept clear of memory that is being touched. */
const READ_MAX_BYTES = 1024 * 1024;

/** What a channel has brought. */
export interface Incoming {
  /** Each fills a buffer of its own: memory that threads share for a shared value, else one that can be given away. */
  readonly parts: Uint8Array[];
  readonly kind: BulkKind;
  /** SHA-256 of each block of a shared value, as compared with what arrived. */
  readonly hashes: Buffer[];
}

interface Channel extends Incoming {
  readonly bytes: number;
  /** When it was opened, ms of this process. */
  readonly began: number;
  at: number;
  said: number;
  /** Where the next byte goes. */
  part: number;
  offset: number;
  unwanted: boolean;
  /** By the number of the part: large ones only. */
  readonly ahead: Map<number, TouchAhead>;
}

export interface BulkReaderEvents {
  arrived(channel: number): void;
  /** So much has come since `began`. */
  transferred(bytes: number, began: number): void;
  /** The peer should be told that so much has arrived. */
  acknowledge(channel: number, bytes: number): void;
  /** Runs what takes up bytes that have arrived before; it may fail as the arrival may. */
  later(run: () => void): void;
  /** The peer has so much of what was sent. */
  acknowledged(channel: number, bytes: number): void;
}

/** Puts the bytes of a bulk link where they belong: most are read right there. */
export class BulkReader implements Sink {
  readonly #events: BulkReaderEvents;
  readonly #channels = new Map<number, Channel>();
  /** Channels that are complete, by which a sender that missed the acknowledgement is told. */
  readonly #done = new Map<number, number>();
  readonly #header = Buffer.alloc(BULK_HEADER_BYTES);
  #headerAt = 0;
  #op = 0;
  #channel = 0;
  #left = 0;
  #body: Buffer = Buffer.alloc(0);
  #bodyAt = 0;
  readonly #between = Buffer.allocUnsafeSlow(BETWEEN_BYTES);
  #inPart = false;
  /** What has come for memory that is just being touched. */
  #early: Buffer[] = [];

  constructor(events: BulkReaderEvents) {
    this.#events = events;
  }

  /** Whether a channel has begun and is not complete. */
  get open(): boolean {
    for (const channel of this.#channels.values()) if (!isComplete(channel)) return true;
    return false;
  }

  get received(): (readonly [number, number])[] {
    return [...this.#channels].map(([id, channel]) => [id, certain(channel)]);
  }

  /** Bytes of a channel that are here; -1 when it was never opened. */
  receivedOf(id: number): number {
    const channel = this.#channels.get(id);
    return channel ? certain(channel) : (this.#done.get(id) ?? -1);
  }

  complete(id: number): Incoming | undefined {
    const channel = this.#channels.get(id);
    return channel && isComplete(channel) ? channel : undefined;
  }

  take(id: number): Incoming {
    const channel = this.complete(id);
    if (!channel) throw malformed(`bulk channel ${id} is not complete`);
    this.#channels.delete(id);
    return channel;
  }

  discard(id: number): void {
    const channel = this.#channels.get(id);
    if (!channel) return;
    if (isComplete(channel)) this.#channels.delete(id);
    else channel.unwanted = true;
  }

  /** A new stream begins with a message. */
  restart(): void {
    this.#headerAt = 0;
    this.#left = 0;
    this.#early = [];
    for (const channel of this.#channels.values()) rewind(channel);
  }

  dispose(): void {
    this.#channels.clear();
    this.#done.clear();
  }

  room(): Uint8Array {
    const data = this.#left > 0 && this.#op === BulkOp.DATA && this.#early.length === 0;
    const channel = data ? this.#channels.get(this.#channel) : undefined;
    const part = channel && partAt(channel);
    const end = channel && Math.min(channel.offset + Math.min(this.#left, READ_MAX_BYTES), limitOf(channel));
    this.#inPart = channel !== undefined && end! > channel.offset;
    return this.#inPart ? part!.subarray(channel!.offset, end) : this.#between;
  }

  filled(bytes: number): void {
    if (!this.#inPart) return this.push(this.#between.subarray(0, bytes));
    const channel = this.#channels.get(this.#channel);
    this.#left -= bytes;
    if (!channel) return;
    channel.offset += bytes;
    this.#came(channel, bytes);
  }

  push(data: Buffer): void {
    if (this.#early.length > 0) return void this.#early.push(Buffer.from(data));
    let at = 0;
    while (at < data.length) {
      if (this.#left === 0) {
        const size = Math.min(BULK_HEADER_BYTES - this.#headerAt, data.length - at);
        data.copy(this.#header, this.#headerAt, at, at + size);
        this.#headerAt += size;
        at += size;
        if (this.#headerAt === BULK_HEADER_BYTES) this.#begin();
        continue;
      }
      let size = Math.min(this.#left, data.length - at);
      if (this.#op === BulkOp.DATA) {
        size = this.#data(data, at, at + size);
        if (size === 0) return void this.#early.push(Buffer.from(data.subarray(at)));
      } else {
        data.copy(this.#body, this.#bodyAt, at, at + size);
        this.#bodyAt += size;
      }
      this.#left -= size;
      at += size;
      if (this.#left === 0 && this.#op !== BulkOp.DATA) this.#message(this.#body);
    }
  }

  #begin(): void {
    this.#headerAt = 0;
    this.#op = this.#header[0]!;
    this.#channel = this.#header.readUInt32LE(1);
    this.#left = this.#header.readUInt32LE(5);
    if (this.#op === BulkOp.DATA) return this.#announced();
    if (this.#left > 5 + PARTS_MAX * 8) throw malformed(`a bulk message of ${this.#left} bytes`);
    this.#body = Buffer.alloc(this.#left);
    this.#bodyAt = 0;
    if (this.#left === 0) this.#message(this.#body);
  }

  #message(body: Buffer): void {
    const id = this.#channel;
    switch (this.#op) {
      case BulkOp.OPEN:
        return this.#open(id, body);
      case BulkOp.HASH:
        return this.#check(id, body);
      case BulkOp.ACK:
        if (body.length !== 8) throw malformed("an acknowledgement of the wrong length");
        return this.#events.acknowledged(id, body.readDoubleLE());
      case BulkOp.ABORT:
        this.#done.set(id, 0);
        return void this.#channels.delete(id);
      default:
        throw malformed(`no bulk message has the operation ${this.#op}`);
    }
  }

  #open(id: number, body: Buffer): void {
    if (body.length < 13 || (body.length - 5) % 8 !== 0 || body[0]! > 1)
      throw malformed("a channel that announces no parts");
    if (this.#channels.has(id)) throw malformed(`bulk channel ${id} is open already`);
    if (this.#channels.size >= CHANNELS_MAX) throw malformed(`more than ${CHANNELS_MAX} bulk channels are open`);
    const lowest = body.readUInt32LE(1);
    for (const done of this.#done.keys()) if (done < lowest) this.#done.delete(done);
    const kind = body[0] as BulkKind;
    const parts: Uint8Array[] = [];
    let bytes = 0;
    for (let at = 5; at < body.length; at += 8) {
      const size = body.readDoubleLE(at);
      if (!Number.isInteger(size) || size < 0 || size > PART_MAX_BYTES) throw malformed(`a part of ${size} bytes`);
      // Memory that nobody has written to yet takes no room, so an announcement costs little.
      parts.push(kind === 1 ? new Uint8Array(new SharedArrayBuffer(size)) : Buffer.allocUnsafeSlow(size));
      bytes += size;
    }
    if (bytes === 0) throw malformed("a channel without a byte");
    this.#channels.set(id, {
      parts,
      kind,
      hashes: [],
      bytes,
      at: 0,
      said: 0,
      part: 0,
      offset: 0,
      unwanted: false,
      began: performance.now(),
      ahead: new Map(),
    });
  }

  #announced(): void {
    const channel = this.#channels.get(this.#channel);
    // It was aborted, or dropped here, while this was on its way.
    if (!channel && this.#done.has(this.#channel)) return;
    if (!channel || this.#left > channel.bytes - channel.at)
      throw malformed(`bulk channel ${this.#channel} brings more than it announced`);
  }

  /** Puts bytes where they belong, as many as may be put there now. */
  #data(data: Buffer, from: number, to: number): number {
    const channel = this.#channels.get(this.#channel);
    if (!channel) return to - from;
    let at = from;
    while (at < to) {
      const part = partAt(channel);
      const size = Math.min(to - at, limitOf(channel) - channel.offset);
      if (size <= 0) break;
      // `set` of a view: `Buffer.copy` does not take shared memory.
      part.set(data.subarray(at, at + size), channel.offset);
      at += size;
      channel.offset += size;
    }
    if (at > from) this.#came(channel, at - from);
    return at - from;
  }

  #came(channel: Channel, bytes: number): void {
    channel.at += bytes;
    this.#touch(channel);
    if (channel.kind === 0) this.#arrived(this.#channel, channel);
  }

  #touch(channel: Channel): void {
    const part = channel.parts[channel.part];
    if (part === undefined || part.byteLength < TOUCH_MIN_BYTES) return;
    let ahead = channel.ahead.get(channel.part);
    if (!ahead) channel.ahead.set(channel.part, (ahead = new TouchAhead(part)));
    ahead.step(channel.offset, () => {
      if (channel.at < channel.bytes) this.#touch(channel);
      if (this.#early.length > 0) this.#events.later(() => this.#takeUp());
    });
  }

  #takeUp(): void {
    const early = this.#early;
    this.#early = [];
    for (const data of early) this.push(data);
  }

  #check(id: number, hash: Buffer): void {
    const channel = this.#channels.get(id);
    if (!channel && this.#done.has(id)) return;
    if (!channel || channel.kind !== 1 || channel.at === 0) throw malformed(`a hash of nothing in bulk channel ${id}`);
    if (!blockHash(channel.parts, channel.at).equals(hash))
      throw malformed(`a block of bulk channel ${id} has another hash than announced`);
    channel.hashes.push(Buffer.from(hash));
    this.#arrived(id, channel);
  }

  #arrived(id: number, channel: Channel): void {
    const complete = channel.at === channel.bytes;
    if (complete || channel.at - channel.said >= ACK_BYTES) {
      channel.said = channel.at;
      this.#events.acknowledge(id, channel.at);
    }
    if (!complete) return;
    this.#done.set(id, channel.bytes);
    if (channel.unwanted) this.#channels.delete(id);
    else {
      this.#events.transferred(channel.bytes, channel.began);
      this.#events.arrived(id);
    }
  }
}

function malformed(what: string): SkyError {
  return new SkyError("SKY_WIRE_MALFORMED", what);
}

/** Of a shared value only what has been compared with its hashes counts. */
function certain({ kind, at, bytes, hashes }: Channel): number {
  return kind === 1 ? Math.min(bytes, hashes.length * HASH_BLOCK_BYTES) : at;
}

function isComplete(channel: Channel): boolean {
  return certain(channel) === channel.bytes;
}

/** Where writing to the current part has to stop for now. */
function limitOf({ parts, part, ahead }: Channel): number {
  return ahead.get(part)?.limit ?? parts[part]!.byteLength;
}

/** The part that the next byte belongs to. */
function partAt(channel: Channel): Uint8Array {
  while (channel.offset === channel.parts[channel.part]!.byteLength) {
    channel.part++;
    channel.offset = 0;
  }
  return channel.parts[channel.part]!;
}

/** What a cut left unsure comes again. */
function rewind(channel: Channel): void {
  channel.at = certain(channel);
  channel.part = 0;
  channel.offset = channel.at;
  while (channel.part < channel.parts.length && channel.offset >= channel.parts[channel.part]!.byteLength)
    channel.offset -= channel.parts[channel.part++]!.byteLength;
}
