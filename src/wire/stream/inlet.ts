import { SkyError } from "../../errors/sky-error.ts";
import { decode } from "../../values/decode.ts";
import type { DecodeHooks } from "../../values/hooks.ts";
import { itemLength } from "../items.ts";
import { INLINE_MAX_BYTES } from "../ops.ts";
import { FIRST_BYTES, FIRST_ELEMENTS, MOST_BYTES, MOST_ELEMENTS } from "./records.ts";

const BLOCK_BYTES = 64 * 1024;

export interface InletActions {
  /** The other end may send so much more. */
  grant(elements: number, bytes: number): void;
  /** Nobody wants more. */
  stop(): void;
}

/** Elements that have arrived, as they came. */
interface Block {
  readonly buf: Buffer;
  at: number;
  end: number;
  /** One element that fills the block, without its length. */
  readonly large: boolean;
}

interface Waiter {
  resolve(step: IteratorResult<unknown, undefined>): void;
  reject(error: unknown): void;
}

export interface Ending {
  readonly threw: boolean;
  readonly error?: unknown;
  /** The error comes from what the consumer's leaving ran. */
  readonly leaving?: boolean;
  /** It does not wait its turn behind what has come. */
  readonly atOnce?: boolean;
}

const ENDED: Ending = { threw: false };

const DONE: IteratorResult<unknown, undefined> = Object.freeze({ done: true, value: undefined });

/**
 * The receiving end of a stream: keeps what has arrived as bytes, decodes each element when it is asked for, and lets
 * the other end send more as elements are taken. The window grows while the consumer is the faster one.
 */
export class Inlet {
  readonly #hooks: DecodeHooks | undefined;
  readonly #actions: InletActions;
  readonly #blocks: Block[] = [];
  #waiters: Waiter[] = [];
  #ending: Ending | undefined;
  #left = false;
  #windowElements = FIRST_ELEMENTS;
  #windowBytes = FIRST_BYTES;
  #grantedElements: number;
  #grantedBytes: number;
  #gotElements = 0;
  #gotBytes = 0;
  /** Taken and not granted again. */
  #owedElements = 0;
  #owedBytes = 0;
  /** What had arrived when the window grew last. */
  #grownAtElements = 0;
  #grownAtBytes = 0;
  #ended: (() => void)[] = [];
  /** Told of the failure that the stream ended with, if any, once its consumer has met it. */
  onMet: (() => void) | undefined;

  /** `asked`: the other end waits for a first grant, which it gets when the first element is asked for. */
  constructor(hooks: DecodeHooks | undefined, actions: InletActions, asked = false) {
    this.#hooks = hooks;
    this.#actions = actions;
    this.#grantedElements = asked ? 0 : FIRST_ELEMENTS;
    this.#grantedBytes = asked ? 0 : FIRST_BYTES;
  }

  /** Whether the other end has told its end, or can't any more. */
  get over(): boolean {
    return this.#ending !== undefined;
  }

  /** Bytes that wait to be taken. */
  get waitingBytes(): number {
    let sum = 0;
    for (const { at, end } of this.#blocks) sum += end - at;
    return sum;
  }

  /** Items as in an ELEMENTS record. @throws SkyError SKY_WIRE_MALFORMED when they go past what was granted */
  elements(buf: Buffer, start: number, end: number, count: number): void {
    if (this.#ending) return;
    this.#count(count, end - start);
    if (this.#left) return;
    this.#append(buf, start, end);
    this.#serve();
  }

  /** One large element, whose bytes are given away. */
  element(bytes: Buffer): void {
    if (this.#ending) return;
    this.#count(1, 0);
    this.#gotBytes += bytes.length;
    if (this.#left) return;
    this.#blocks.push({ buf: bytes, at: 0, end: bytes.length, large: true });
    this.#serve();
  }

  /** Nothing more will come; an error is met behind what has come. Who has left hears of none but his leaving's. */
  end(ending: Ending): void {
    if (ending.atOnce) this.#blocks.length = 0;
    if (this.#ending) return;
    this.#ending = this.#left && !ending.leaving ? ENDED : ending;
    for (const ended of this.#ended.splice(0)) ended();
    this.#serve();
  }

  next(): Promise<IteratorResult<unknown, undefined>> {
    if (this.#waiters.length === 0 && this.#blocks.length > 0) {
      try {
        return Promise.resolve({ done: false, value: this.#take() });
      } catch (error) {
        return Promise.reject(this.#broken(error));
      }
    }
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
      this.#serve();
      if (this.#waiters.length > 0) this.#wait();
    });
  }

  /** The consumer wants no more. Resolves when the other end is through with it, and says what that came to. */
  async leave(): Promise<void> {
    const wasOver = this.#ending !== undefined;
    if (!this.#left) {
      this.#left = true;
      this.#blocks.length = 0;
      if (!wasOver) this.#actions.stop();
    }
    // What it would have failed with further on is nobody's concern any more.
    if (wasOver) this.#ending = ENDED;
    this.onMet?.();
    for (const waiter of this.#waiters.splice(0)) waiter.resolve(DONE);
    if (!this.#ending) await new Promise<void>((resolve) => this.#ended.push(resolve));
  }

  /** What it ended with, where it is over. */
  get ending(): Ending | undefined {
    return this.#ending;
  }

  #count(elements: number, bytes: number): void {
    this.#gotElements += elements;
    this.#gotBytes += bytes;
    // The last element may go past the bytes, as its size is known only then.
    if (this.#gotElements > this.#grantedElements || this.#gotBytes > this.#grantedBytes + 2 * INLINE_MAX_BYTES)
      throw new SkyError("SKY_WIRE_MALFORMED", "a stream goes past what it was granted");
  }

  /** Small arrivals share a block, so that many of them take little more than their bytes. */
  #append(buf: Buffer, start: number, end: number): void {
    const size = end - start;
    const last = this.#blocks.at(-1);
    if (last && !last.large && last.buf.length - last.end >= size) {
      buf.copy(last.buf, last.end, start, end);
      last.end += size;
      return;
    }
    const room = Math.max(size, Math.min(BLOCK_BYTES, last && !last.large ? 2 * last.buf.length : 0));
    const block = Buffer.allocUnsafeSlow(room);
    buf.copy(block, 0, start, end);
    this.#blocks.push({ buf: block, at: 0, end: size, large: false });
  }

  #take(): unknown {
    const block = this.#blocks[0]!;
    const { buf, at } = block;
    if (block.large) {
      this.#blocks.shift();
      this.#taken(buf.length);
      return decode(buf, 0, buf.length, this.#hooks);
    }
    let length = buf[at]!;
    let start = at + 1;
    if (length >= 0x80) ({ length, start } = itemLength(buf, at));
    const end = start + length;
    if (end > block.end) throw new SkyError("SKY_WIRE_MALFORMED", "an element is longer than its record");
    block.at = end;
    if (end === block.end) this.#blocks.shift();
    this.#taken(end - at);
    return length === 0 ? undefined : decode(buf, start, end, this.#hooks);
  }

  #taken(bytes: number): void {
    this.#owedElements++;
    this.#owedBytes += bytes;
    if (this.#owedElements >= this.#windowElements / 4 || this.#owedBytes >= this.#windowBytes / 4) this.#grant(0, 0);
  }

  #grant(moreElements: number, moreBytes: number): void {
    const elements = this.#owedElements + moreElements;
    const bytes = this.#owedBytes + moreBytes;
    this.#owedElements = 0;
    this.#owedBytes = 0;
    if (this.#ending) return;
    this.#grantedElements += elements;
    this.#grantedBytes += bytes;
    this.#actions.grant(elements, bytes);
  }

  /** The consumer is ahead: where it has been so for a whole window, the window is what holds it up. */
  #wait(): void {
    if (this.#ending) return;
    if (this.#grantedElements === 0) return this.#grant(this.#windowElements, this.#windowBytes);
    const turned =
      this.#gotElements - this.#grownAtElements >= this.#windowElements ||
      this.#gotBytes - this.#grownAtBytes >= this.#windowBytes;
    if (!turned) return;
    const elements = Math.min(MOST_ELEMENTS, 2 * this.#windowElements);
    const bytes = Math.min(MOST_BYTES, 2 * this.#windowBytes);
    this.#grownAtElements = this.#gotElements;
    this.#grownAtBytes = this.#gotBytes;
    if (elements === this.#windowElements && bytes === this.#windowBytes) return;
    const [moreElements, moreBytes] = [elements - this.#windowElements, bytes - this.#windowBytes];
    this.#windowElements = elements;
    this.#windowBytes = bytes;
    this.#grant(moreElements, moreBytes);
  }

  #serve(): void {
    while (this.#waiters.length > 0) {
      if (this.#blocks.length > 0) {
        const waiter = this.#waiters.shift()!;
        try {
          waiter.resolve({ done: false, value: this.#take() });
        } catch (error) {
          waiter.reject(this.#broken(error));
        }
        continue;
      }
      if (!this.#ending && !this.#left) return;
      const waiter = this.#waiters.shift()!;
      if (this.#left || !this.#ending?.threw) {
        waiter.resolve(DONE);
        continue;
      }
      // The error is met once; then the stream is over.
      const { error } = this.#ending;
      this.#ending = ENDED;
      this.onMet?.();
      waiter.reject(error);
    }
  }

  /** An element that can't be read ends the stream. */
  #broken(error: unknown): unknown {
    void this.leave();
    return error;
  }
}
