import { ByteWriter } from "../../values/byte-writer.ts";
import { encode } from "../../values/encode.ts";
import { encodeError } from "../../values/errors.ts";
import type { EncodeHooks } from "../../values/hooks.ts";
import { beginItem, endItem, itemLength } from "../items.ts";
import { INLINE_MAX_BYTES, Op } from "../ops.ts";
import { beginStreamRecord, endStreamRecord, How, type Place, STREAM_HEADER } from "./records.ts";
import { openSource, type Reader, type Source } from "./source.ts";

/** A source that is ready again and again lets timers, sockets and messages in after this time. */
const TURN_MS = 4;
const FLUSH_BYTES = 32 * 1024;
/** The clock is read once in so many elements, where they come fast. */
const MOST_STRIDE = 64;

export interface FeedOut {
  /** A whole record, header included; the bytes are its own. */
  record(bytes: Uint8Array): void;
  /** One element that is too large for a record. */
  element(bytes: Uint8Array): void;
}

export interface FeedEnd {
  readonly threw: boolean;
  readonly error: unknown;
  /** Nothing has left, not even the end. */
  readonly untold: boolean;
}

/**
 * The sending end of a stream: reads its source only while the other end has room, and writes what it gives in records,
 * those of one tick together and the first element at once.
 */
export class Feed {
  readonly #place: Place;
  readonly #reader: Reader;
  readonly #hooks: EncodeHooks | undefined;
  readonly #out: FeedOut;
  readonly #writer = new ByteWriter(4 * 1024);
  #elements: number;
  #bytes: number;
  #count = 0;
  #sent = 0;
  #stride = 1;
  #untilLook = 1;
  #lookedAt = 0;
  #turnAt = 0;
  #flushing = false;
  #wake: (() => void) | undefined;
  #stopped = false;
  #muted = false;
  #over = false;
  /** A `next` of the source has been called and has not answered. */
  #reading = false;
  #closing: Promise<unknown> | undefined;
  #onClosing: (() => void) | undefined;

  constructor(
    place: Place,
    source: Source,
    hooks: EncodeHooks | undefined,
    credit: { readonly elements: number; readonly bytes: number },
    out: FeedOut,
  ) {
    this.#place = place;
    this.#reader = openSource(source);
    this.#hooks = hooks;
    this.#elements = credit.elements;
    this.#bytes = credit.bytes;
    this.#out = out;
  }

  /** The other end has room for so much more. */
  grant(elements: number, bytes: number): void {
    this.#elements += elements;
    this.#bytes += bytes;
    this.#awake();
  }

  /**
   * Nobody wants more: the source is told so, as leaving a loop does, and runs what it has to. `closing` is called when
   * it does that, which is later where it still works on its next element.
   */
  stop(closing?: () => void): void {
    if (this.#stopped || this.#over) return;
    this.#stopped = true;
    this.#onClosing = closing;
    this.#close();
    if (!this.#reading) this.#left();
    this.#awake();
  }

  /** Like `stop`, and nothing more leaves. */
  drop(): void {
    this.#muted = true;
    this.#writer.reset();
    this.#count = 0;
    this.stop();
  }

  /** Sends all that the source gives; with `discreet` no word of a failure before the first element. Never rejects. */
  async run(discreet = false): Promise<FeedEnd> {
    this.#turnAt = this.#lookedAt = performance.now();
    let end: FeedEnd = { threw: false, error: undefined, untold: false };
    let how: number = How.ENDED;
    try {
      await this.#read();
    } catch (error) {
      this.#reading = false;
      if (!this.#stopped) {
        end = { threw: true, error, untold: discreet && this.#sent === 0 };
        how = How.THREW;
      }
    }
    if (this.#stopped) this.#left();
    if (this.#closing) {
      try {
        await this.#closing;
      } catch (error) {
        // What failed before is what the consumer hears of.
        if (!end.threw) {
          end = { threw: true, error, untold: false };
          how = How.LEFT_THREW;
        }
      }
    }
    this.#over = true;
    if (this.#muted || end.untold) return end;
    this.#flush();
    this.#end(how, end.error);
    return end;
  }

  async #read(): Promise<void> {
    while (!this.#stopped) {
      if (this.#elements <= 0 || this.#bytes <= 0) {
        this.#flush();
        await new Promise<void>((resolve) => (this.#wake = resolve));
        continue;
      }
      const given = this.#next();
      this.#reading = true;
      const step = isThenable(given) ? await given : given;
      this.#reading = false;
      if (step.done === true || this.#stopped) return;
      this.#write(step.value);
      if (--this.#untilLook <= 0 && this.#look()) await this.#turn();
    }
  }

  #next(): IteratorResult<unknown> | PromiseLike<IteratorResult<unknown>> {
    const { sync, iterator } = this.#reader;
    const given = iterator.next();
    if (!sync) return given;
    const { done, value } = given as IteratorResult<unknown>;
    return done !== true && isThenable(value) ? this.#promised(value) : given;
  }

  /** A synchronous source that gives promises is read as `for await` reads it. */
  async #promised(value: PromiseLike<unknown>): Promise<IteratorResult<unknown>> {
    try {
      return { done: false, value: await value };
    } catch (error) {
      this.#close();
      throw error;
    }
  }

  #write(value: unknown): void {
    const out = this.#writer;
    if (this.#count === 0) {
      beginStreamRecord(out, Op.ELEMENTS, this.#place);
      out.u32(0);
    }
    const at = beginItem(out);
    try {
      if (value !== undefined) encode(value, out, this.#hooks);
    } catch (error) {
      out.pos = at;
      this.#close();
      throw error;
    }
    const size = endItem(out, at);
    this.#elements--;
    this.#sent++;
    if (size > INLINE_MAX_BYTES) return this.#large(at);
    this.#bytes -= out.pos - at;
    this.#count++;
    if (this.#sent === 1 || out.pos > FLUSH_BYTES) this.#flush();
    else this.#flushSoon();
  }

  #large(at: number): void {
    const out = this.#writer;
    const { start } = itemLength(out.buf, at);
    const bytes = Uint8Array.prototype.slice.call(out.buf, start, out.pos);
    out.pos = at;
    this.#bytes -= bytes.length;
    this.#flush();
    this.#out.element(bytes);
  }

  #flush(): void {
    const out = this.#writer;
    if (this.#count > 0 && !this.#muted) {
      out.buf.writeUInt32LE(this.#count, STREAM_HEADER);
      endStreamRecord(out, 0);
      this.#out.record(out.take());
    }
    this.#count = 0;
    out.reset();
  }

  #flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    setImmediate(() => {
      this.#flushing = false;
      if (!this.#over) this.#flush();
    });
  }

  #end(how: number, error: unknown): void {
    const out = this.#writer;
    beginStreamRecord(out, Op.END, this.#place);
    out.u8(how);
    if (how !== How.ENDED) encodeError(error, out, this.#hooks);
    endStreamRecord(out, 0);
    this.#out.record(out.take());
  }

  /** Whether it is time to let others in. */
  #look(): boolean {
    const now = performance.now();
    const took = now - this.#lookedAt;
    if (took > 1) this.#stride = 1;
    else if (took < 0.1) this.#stride = Math.min(MOST_STRIDE, this.#stride * 2);
    this.#untilLook = this.#stride;
    this.#lookedAt = now;
    return now - this.#turnAt > TURN_MS;
  }

  async #turn(): Promise<void> {
    this.#flush();
    await new Promise((resolve) => setImmediate(resolve));
    this.#turnAt = this.#lookedAt = performance.now();
  }

  #awake(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  #close(): void {
    if (this.#closing) return;
    this.#closing = close(this.#reader);
    this.#closing.catch(() => {});
  }

  #left(): void {
    this.#onClosing?.();
    this.#onClosing = undefined;
  }
}

async function close({ iterator }: Reader): Promise<unknown> {
  return iterator.return?.();
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function";
}
