import type { Duplex } from "node:stream";
import { SkyError } from "../errors/sky-error.ts";
import { keepMemory, letGo } from "../values/spare-memory.ts";
import { blockHash, HASH_BLOCK_BYTES } from "./block-hash.ts";
import { BulkReader, type Incoming } from "./bulk-reader.ts";
import { BulkOp, bulkHeader } from "./bulk-message.ts";
import { slices, totalBytes } from "./parts.ts";
import { readInto } from "./read-into.ts";

/** One message brings at most this much, so that channels take turns and an abort is soon heeded. */
const PIECE_BYTES = 1024 * 1024;
/** What waits in the stream: enough that it never runs dry, and nothing that has to be taken back. */
const QUEUED_BYTES = 2 * 1024 * 1024;

/** Of a stream that is gone nothing is read any more. */
const NOWHERE = Buffer.alloc(1);

interface Outgoing {
  readonly id: number;
  readonly parts: readonly Uint8Array[];
  /** Of a shared value; by block, as far as they are known. */
  readonly hashes: Buffer[] | undefined;
  readonly bytes: number;
  readonly sent: (() => void) | undefined;
  /** When it was given to be sent, ms of this process. */
  readonly began: number;
  opened: boolean;
  at: number;
}

export interface BulkHandlers {
  /** There is something to send and no stream to send it over. */
  wanted(): void;
  /** A channel is complete: `take` it. */
  arrived(channel: number): void;
  /** A value has crossed as a whole. */
  transferred?(direction: "in" | "out", bytes: number, elapsedMs: number): void;
  /** The stream is gone; with a SkyError because of what the peer sent. */
  down(error: Error | undefined): void;
}

/** What two ends tell each other before a stream goes on: which channels are on their way, and how far each has come. */
export interface BulkState {
  readonly sending: readonly number[];
  readonly received: readonly (readonly [channel: number, bytes: number])[];
}

/**
 * Large values on a stream of their own, so that none stands in front of a cancel. Parts are written from where they lie
 * and read to where they stay. After a cut each channel goes on with its first byte that did not arrive.
 */
export class BulkLink {
  readonly counters = { bytesSent: 0, bytesReceived: 0 };
  readonly #handlers: BulkHandlers;
  readonly #reader: BulkReader;
  readonly #outgoing = new Map<number, Outgoing>();
  #turns: Outgoing[] = [];
  #stream: Duplex | undefined;
  #nextId = 1;
  #waiting = false;

  constructor(handlers: BulkHandlers) {
    this.#handlers = handlers;
    this.#reader = new BulkReader({
      arrived: (channel) => handlers.arrived(channel),
      transferred: (bytes, began) => handlers.transferred?.("in", bytes, performance.now() - began),
      later: (run) => this.#receive(0, run),
      acknowledge: (channel, bytes) => this.#acknowledge(channel, bytes),
      acknowledged: (channel, bytes) => this.#acknowledged(channel, bytes),
    });
  }

  get up(): boolean {
    return this.#stream !== undefined;
  }

  /** Whether something is on its way in either direction. */
  get busy(): boolean {
    return this.#outgoing.size > 0 || this.#reader.open;
  }

  /**
   * Sends parts, which must not change until `sent` is called: when all have arrived. With `hashes` they are a shared
   * value: its blocks are hashed as they leave, once for all nodes that it goes to.
   */
  send(parts: readonly Uint8Array[], sent?: () => void, hashes?: Buffer[]): number {
    const id = this.#nextId++;
    const one: Outgoing = {
      id,
      parts,
      hashes,
      bytes: totalBytes(parts),
      sent,
      began: performance.now(),
      opened: false,
      at: 0,
    };
    keepMemory(parts);
    this.#outgoing.set(id, one);
    this.#turns.push(one);
    if (this.#stream) this.#pump();
    else this.#handlers.wanted();
    return id;
  }

  /** Stops sending; the other end drops what it has. */
  abort(channel: number): void {
    const one = this.#outgoing.get(channel);
    if (!one) return;
    this.#outgoing.delete(channel);
    this.#turns = this.#turns.filter((other) => other !== one);
    if (one.opened) this.#write(bulkHeader(BulkOp.ABORT, channel, 0));
  }

  /** Whether all of a channel that the peer sends is there. */
  has(channel: number): boolean {
    return this.#reader.complete(channel) !== undefined;
  }

  /** The parts of a complete channel, which are the caller's from now on. */
  take(channel: number): Incoming {
    return this.#reader.take(channel);
  }

  /** Drops a channel that nobody wants any more, now or when it has come. */
  discard(channel: number): void {
    this.#reader.discard(channel);
  }

  get state(): BulkState {
    return { sending: [...this.#outgoing.keys()], received: this.#reader.received };
  }

  /** How much of the channels that the peer still sends has arrived here. */
  receivedOf(sending: readonly number[]): (readonly [number, number])[] {
    return sending.map((channel) => [channel, this.#reader.receivedOf(channel)]);
  }

  /** Goes on over a new stream; `received` is what the peer has of the channels that are sent from here. */
  attach(stream: Duplex, received: BulkState["received"], leftover: Buffer): void {
    this.detach();
    const has = new Map(received);
    for (const one of this.#outgoing.values()) {
      const bytes = has.get(one.id) ?? -1;
      one.opened = bytes >= 0;
      one.at = Math.max(0, Math.min(one.bytes, bytes));
    }
    this.#turns = [...this.#outgoing.values()];
    for (const one of this.#turns) if (one.opened && one.at === one.bytes) this.#acknowledged(one.id, one.bytes);
    this.#waiting = false;
    this.#reader.restart();
    // What is read before it stands here may fail it.
    this.#stream = stream;
    if (leftover.length > 0) this.#push(leftover);
    if (this.#stream !== stream) return;
    const direct = readInto(stream, { room: this.#room, filled: this.#filled, push: this.#push });
    if (this.#stream !== stream) return void direct.destroy();
    this.#stream = direct;
    direct.on("error", this.#onEnd);
    direct.on("end", this.#onEnd);
    direct.on("close", this.#onEnd);
    this.#pump();
    if (direct.destroyed) this.#onEnd();
  }

  detach(): void {
    const stream = this.#stream;
    if (!stream) return;
    this.#stream = undefined;
    stream.off("end", this.#onEnd).off("close", this.#onEnd);
    stream.destroy();
  }

  dispose(): void {
    this.detach();
    this.#outgoing.clear();
    this.#turns = [];
    this.#reader.dispose();
  }

  #pump = (): void => {
    const stream = this.#stream;
    if (!stream) return;
    while (this.#turns.length > 0 && stream.writableLength < QUEUED_BYTES) {
      const one = this.#turns.shift()!;
      this.#piece(one);
      if (one.at < one.bytes || !one.opened) this.#turns.push(one);
    }
    if (this.#turns.length === 0 || this.#waiting) return;
    this.#waiting = true;
    stream.once("drain", this.#drained);
  };

  #drained = (): void => {
    this.#waiting = false;
    this.#pump();
  };

  #piece(one: Outgoing): void {
    const stream = this.#stream!;
    stream.cork();
    if (!one.opened) {
      one.opened = true;
      const body = Buffer.allocUnsafe(5 + one.parts.length * 8);
      body[0] = one.hashes ? 1 : 0;
      // What is below this has arrived for certain: the peer need not remember it.
      body.writeUInt32LE(this.#outgoing.keys().next().value ?? one.id, 1);
      for (const [index, part] of one.parts.entries()) body.writeDoubleLE(part.byteLength, 5 + index * 8);
      this.#write(bulkHeader(BulkOp.OPEN, one.id, body.length), body);
    }
    const { hashes } = one;
    const block = HASH_BLOCK_BYTES - (one.at % HASH_BLOCK_BYTES);
    const size = Math.min(PIECE_BYTES, one.bytes - one.at, hashes ? block : PIECE_BYTES);
    const end = one.at + size;
    if (size > 0) this.#write(bulkHeader(BulkOp.DATA, one.id, size), ...slices(one.parts, one.at, end));
    if (hashes && size > 0 && (size === block || end === one.bytes)) {
      const hash = (hashes[Math.ceil(end / HASH_BLOCK_BYTES) - 1] ??= blockHash(one.parts, end));
      this.#write(bulkHeader(BulkOp.HASH, one.id, hash.length), hash);
    }
    one.at = end;
    stream.uncork();
  }

  #write(...pieces: readonly Uint8Array[]): void {
    const stream = this.#stream;
    if (!stream) return;
    for (const piece of pieces) {
      stream.write(piece);
      this.counters.bytesSent += piece.byteLength;
    }
  }

  #acknowledge(channel: number, bytes: number): void {
    const body = Buffer.allocUnsafe(8);
    body.writeDoubleLE(bytes);
    this.#write(bulkHeader(BulkOp.ACK, channel, 8), body);
  }

  #acknowledged(channel: number, bytes: number): void {
    const one = this.#outgoing.get(channel);
    if (!one || bytes < one.bytes) return;
    this.#outgoing.delete(channel);
    this.#turns = this.#turns.filter((other) => other !== one);
    // Of what is aborted, or never arrives, a stream may still have pieces: the garbage collector knows when.
    letGo(one.parts);
    this.#handlers.transferred?.("out", one.bytes, performance.now() - one.began);
    one.sent?.();
  }

  #room = (): Uint8Array => (this.#stream ? this.#reader.room() : NOWHERE);

  #filled = (bytes: number): void => this.#receive(bytes, () => this.#reader.filled(bytes));

  #push = (data: Buffer): void => this.#receive(data.length, () => this.#reader.push(data));

  #receive(bytes: number, take: () => void): void {
    if (!this.#stream) return;
    this.counters.bytesReceived += bytes;
    try {
      take();
    } catch (error) {
      this.#fail(
        error instanceof SkyError ? error : new SkyError("SKY_WIRE_MALFORMED", String(error), { cause: error }),
      );
    }
  }

  #onEnd = (): void => this.#fail(undefined);

  #fail(error: Error | undefined): void {
    if (!this.#stream) return;
    this.detach();
    this.#handlers.down(error);
    if (this.busy) this.#handlers.wanted();
  }
}
