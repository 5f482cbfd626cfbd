import { Buffer } from "node:buffer";
import { SkyError } from "../errors/sky-error.ts";

const KEEP = 1024 * 1024;
const ASCII_BY_HAND = 40;
const scratch = new DataView(new ArrayBuffer(8));
const scratchBytes = new Uint8Array(scratch.buffer);

/**
 * Bytes appended to one growing buffer, little-endian. Made once and used for many values: nothing is allocated per value.
 * `buf` is replaced when it grows, so read it again after each write.
 */
export class ByteWriter {
  buf: Buffer;
  /** Where the next byte goes; set it back to drop what was written since. */
  pos = 0;
  private readonly initial: number;

  /** @param initial bytes of the first buffer. @default 8192 */
  constructor(initial = 8192) {
    this.initial = Math.max(16, initial);
    this.buf = Buffer.allocUnsafeSlow(this.initial);
  }

  /** Makes room for `n` more bytes, so that they can be put into `buf` at `pos` directly. */
  reserve(n: number): void {
    if (this.pos + n > this.buf.length) this.grow(n);
  }

  u8(byte: number): void {
    if (this.pos >= this.buf.length) this.grow(1);
    this.buf[this.pos++] = byte;
  }

  u16(n: number): void {
    this.reserve(2);
    this.buf[this.pos] = n;
    this.buf[this.pos + 1] = n >>> 8;
    this.pos += 2;
  }

  u32(n: number): void {
    this.reserve(4);
    const { buf, pos } = this;
    buf[pos] = n;
    buf[pos + 1] = n >>> 8;
    buf[pos + 2] = n >>> 16;
    buf[pos + 3] = n >>> 24;
    this.pos = pos + 4;
  }

  f64(n: number): void {
    scratch.setFloat64(0, n, true);
    this.scratch();
  }

  i64(n: bigint): void {
    scratch.setBigInt64(0, n, true);
    this.scratch();
  }

  /** A whole number from 0 to 2^53 - 1, seven bits a byte, lowest first. */
  varint(n: number): void {
    this.reserve(8);
    const buf = this.buf;
    let pos = this.pos;
    while (n > 0x7fffffff) {
      buf[pos++] = (n % 128) | 0x80;
      n = Math.floor(n / 128);
    }
    while (n > 0x7f) {
      buf[pos++] = (n & 0x7f) | 0x80;
      n >>>= 7;
    }
    buf[pos++] = n;
    this.pos = pos;
  }

  /** The UTF-8 bytes of `text`, without a length. Returns how many there are. */
  utf8(text: string): number {
    const length = text.length;
    if (length <= ASCII_BY_HAND) {
      // A native call costs more than a short loop.
      this.reserve(length);
      const { buf, pos } = this;
      let i = 0;
      for (; i < length; i++) {
        const c = text.charCodeAt(i);
        if (c > 0x7f) break;
        buf[pos + i] = c;
      }
      if (i === length) {
        this.pos = pos + length;
        return length;
      }
    }
    // Three bytes a unit is the worst case; exact where that would waste much.
    this.reserve(length < 65536 ? length * 3 : Buffer.byteLength(text));
    const written = this.buf.write(text, this.pos);
    this.pos += written;
    return written;
  }

  bytes(b: Uint8Array): void {
    this.reserve(b.length);
    this.buf.set(b, this.pos);
    this.pos += b.length;
  }

  /** Forgets what was written; a buffer that one large value made grow is let go. */
  reset(): void {
    this.pos = 0;
    if (this.buf.length > KEEP && this.buf.length > this.initial) this.buf = Buffer.allocUnsafeSlow(this.initial);
  }

  /** A copy of what was written; then `reset()`. */
  take(): Buffer {
    const copy = Buffer.allocUnsafeSlow(this.pos);
    this.buf.copy(copy, 0, 0, this.pos);
    this.reset();
    return copy;
  }

  private scratch(): void {
    this.reserve(8);
    const { buf, pos } = this;
    buf[pos] = scratchBytes[0]!;
    buf[pos + 1] = scratchBytes[1]!;
    buf[pos + 2] = scratchBytes[2]!;
    buf[pos + 3] = scratchBytes[3]!;
    buf[pos + 4] = scratchBytes[4]!;
    buf[pos + 5] = scratchBytes[5]!;
    buf[pos + 6] = scratchBytes[6]!;
    buf[pos + 7] = scratchBytes[7]!;
    this.pos = pos + 8;
  }

  private grow(n: number): void {
    const needed = this.pos + n;
    const size = Math.min(Math.max(this.buf.length * 2, needed), Math.max(2 ** 32 - 1, needed));
    let next: Buffer;
    try {
      next = Buffer.allocUnsafeSlow(size);
    } catch (cause) {
      throw new SkyError("SKY_VALUE_LIMIT", `No buffer of ${size} bytes can be made for the encoded value.`, { cause });
    }
    this.buf.copy(next, 0, 0, this.pos);
    this.buf = next;
  }
}
