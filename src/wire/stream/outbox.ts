import { Op } from "../ops.ts";
import type { Session } from "../session.ts";
import { beginStreamRecord, endStreamRecord, type Place, readPlace } from "./records.ts";

/** What one flush takes of streams at most: others want the link too. */
const FLUSH_BYTES = 512 * 1024;

interface Entry {
  readonly place: Place;
  readonly bytes: Uint8Array;
  readonly large: boolean;
}

/**
 * What streams send over a session: behind all control, while the link has room, in order. Large elements cross by bulk
 * channels, and what comes after them in their stream waits.
 */
export class StreamOutbox {
  readonly #session: Session;
  #queue: Entry[] = [];
  /** Streams of which a large element is on its way, and what stands behind it. */
  readonly #held = new Map<string, Entry[]>();

  constructor(session: Session) {
    this.#session = session;
  }

  get pending(): boolean {
    return this.#queue.length > 0;
  }

  /** A whole record. Elements and ends keep their order; all else does not wait for them. */
  record(bytes: Uint8Array): void {
    if (bytes[0] !== Op.ELEMENTS && bytes[0] !== Op.END) return this.#session.raw(bytes);
    const buf = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#queue.push({ place: readPlace(buf, 5, buf.length), bytes: buf, large: false });
  }

  element(place: Place, bytes: Uint8Array): void {
    this.#queue.push({ place, bytes, large: true });
  }

  grant(place: Place, elements: number, bytes: number): void {
    const { out } = this.#session;
    this.#session.whole(() => {
      const at = beginStreamRecord(out, Op.GRANT, place);
      out.u32(elements);
      out.u32(bytes);
      endStreamRecord(out, at);
    });
  }

  stop(place: Place): void {
    const { out } = this.#session;
    this.#session.whole(() => endStreamRecord(out, beginStreamRecord(out, Op.STOP, place)));
  }

  /** Writes what the link has room for. */
  pump(): void {
    let left = FLUSH_BYTES;
    let at = 0;
    for (; at < this.#queue.length && left > 0 && this.#session.bulkRoom; at++) {
      const entry = this.#queue[at]!;
      const held = this.#held.size > 0 ? this.#held.get(keyOf(entry.place)) : undefined;
      if (held) held.push(entry);
      else if (entry.large) this.#large(entry);
      else {
        this.#session.raw(entry.bytes);
        left -= entry.bytes.byteLength;
      }
    }
    if (at > 0) this.#queue.splice(0, at);
  }

  reset(): void {
    this.#queue = [];
    this.#held.clear();
  }

  #large({ place, bytes }: Entry): void {
    const key = keyOf(place);
    const session = this.#session;
    this.#held.set(key, []);
    session.bulk.send(bytes, (channel) => {
      session.whole(() => {
        const at = beginStreamRecord(session.out, Op.ELEMENT, place);
        session.out.u32(channel);
        endStreamRecord(session.out, at);
      });
      const behind = this.#held.get(key) ?? [];
      this.#held.delete(key);
      if (behind.length === 0) return;
      this.#queue.unshift(...behind);
      // This runs inside a flush.
      queueMicrotask(() => session.flush());
    });
  }
}

function keyOf({ id, lane }: Place): string {
  return `${id} ${lane}`;
}
