import { encode } from "../../../values/encode.ts";
import { takeExternals, wantExternals } from "../../../values/externals.ts";
import { encodeError } from "../../../values/errors.ts";
import type { EncodeHooks } from "../../../values/hooks.ts";
import { ByteWriter } from "../../../values/byte-writer.ts";
import { beginItem, endItem } from "../../../wire/items.ts";
import { microseconds, writeOutcomesHeader } from "../../../wire/records.ts";
import { INLINE_MAX_BYTES, Op, Status } from "../../../wire/ops.ts";

const RECORD_HEADER = 5;

/** An outcome that is too large for a record: its bytes with the status first, and what lies beside them. */
export interface LargeOutcome {
  readonly value: Uint8Array;
  readonly externals: readonly Uint8Array[];
}

/** Writes outcomes as OUTCOMES records: consecutive ids of one chunk share a record. */
export class OutcomeWriter {
  readonly out = new ByteWriter(16 * 1024);
  #recordAt = -1;
  #first = 0;
  #count = 0;
  #word = -1;
  #elapsedUs = 0;
  #firstEnded = 0;
  #lastEnded = 0;

  get empty(): boolean {
    return this.out.pos === 0;
  }

  /** Returns the item instead when it is too large for a record. */
  add(
    id: number,
    attempt: number,
    word: number,
    elapsedUs: number,
    threw: boolean,
    value: unknown,
    hooks?: EncodeHooks,
    ended = performance.now(),
    streamed?: number,
  ): LargeOutcome | undefined {
    const { out } = this;
    if (this.#recordAt < 0 || id !== this.#first + this.#count || word !== this.#word || this.#count === 0xffff)
      this.#begin(id, attempt, word);
    const at = beginItem(out);
    wantExternals();
    this.#item(threw, value, hooks, streamed);
    const length = out.pos - at - 1;
    const externals = takeExternals();
    if (length > INLINE_MAX_BYTES || externals.length > 0) {
      const value = Uint8Array.prototype.slice.call(out.buf, at + 1, out.pos);
      out.pos = at;
      if (this.#count === 0) this.#drop();
      return { value, externals };
    }
    if (this.#count++ === 0) this.#firstEnded = ended;
    this.#lastEnded = ended;
    this.#elapsedUs += elapsedUs;
    endItem(out, at);
    return undefined;
  }

  /** All records so far, in bytes of their own. */
  take(): Uint8Array {
    this.#end();
    const bytes = Uint8Array.prototype.slice.call(this.out.buf, 0, this.out.pos);
    this.out.reset();
    return bytes;
  }

  #begin(id: number, attempt: number, word: number): void {
    this.#end();
    const { out } = this;
    this.#recordAt = out.pos;
    this.#first = id;
    this.#count = 0;
    this.#word = word;
    this.#elapsedUs = 0;
    out.u8(Op.OUTCOMES);
    out.u32(0);
    writeOutcomesHeader(out, id, attempt, 0, 0, 0);
  }

  #end(): void {
    if (this.#recordAt < 0) return;
    const { buf, pos } = this.out;
    buf.writeUInt32LE(pos - this.#recordAt - RECORD_HEADER, this.#recordAt + 1);
    const header = this.#recordAt + RECORD_HEADER;
    buf.writeUInt16LE(this.#count, header + 7);
    buf.writeUInt32LE(microseconds(this.#elapsedUs), header + 9);
    buf.writeDoubleLE(performance.timeOrigin + this.#lastEnded, header + 13);
    buf.writeUInt32LE(microseconds((this.#lastEnded - this.#firstEnded) * 1000), header + 21);
    this.#recordAt = -1;
  }

  #drop(): void {
    this.out.pos = this.#recordAt;
    this.#recordAt = -1;
  }

  #item(threw: boolean, value: unknown, hooks: EncodeHooks | undefined, streamed: number | undefined): void {
    const { out } = this;
    const at = out.pos;
    if (streamed !== undefined) {
      out.u8(streamed);
      if (threw) encodeError(value, out, hooks);
      // The stream tells it too.
      if (streamed === Status.STREAM_THREW && out.pos - at > INLINE_MAX_BYTES) out.pos = at + 1;
      return;
    }
    if (!threw) {
      if (value === undefined) return;
      out.u8(Status.RETURNED);
      try {
        encode(value, out, hooks);
        return;
      } catch (error) {
        out.pos = at;
        takeExternals();
        wantExternals();
        value = error;
      }
    }
    out.u8(Status.THREW);
    encodeError(value, out, hooks);
  }
}
