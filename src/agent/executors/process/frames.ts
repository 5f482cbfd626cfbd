import { deserialize, serialize } from "node:v8";

/** u32 length of what follows, u8 kind: 0 the bytes themselves, 1 a value as V8 writes it. Both ends are one program. */
const HEADER_BYTES = 5;

/** A message between a host and a process of it, ready to be written. */
export function frameOf(message: unknown): Buffer {
  const bytes = message instanceof Uint8Array;
  const body = bytes ? message : serialize(message);
  const frame = Buffer.allocUnsafe(HEADER_BYTES + body.byteLength);
  frame.writeUInt32LE(1 + body.byteLength, 0);
  frame[4] = bytes ? 0 : 1;
  frame.set(body, HEADER_BYTES);
  return frame;
}

/** Cuts a stream into messages, wherever it was cut before. Bytes are given as arrays of their own. */
export class Frames<T> {
  readonly #emit: (message: T) => void;
  #parts: Buffer[] = [];
  #held = 0;
  /** Bytes that make it worth looking again. */
  #needed = HEADER_BYTES;

  constructor(emit: (message: T) => void) {
    this.#emit = emit;
  }

  push(chunk: Buffer): void {
    this.#parts.push(chunk);
    this.#held += chunk.length;
    if (this.#held < this.#needed) return;
    const buf = this.#parts.length === 1 ? chunk : Buffer.concat(this.#parts);
    let at = 0;
    this.#needed = HEADER_BYTES;
    while (buf.length - at >= HEADER_BYTES) {
      const end = at + 4 + buf.readUInt32LE(at);
      if (end > buf.length) {
        this.#needed = end - at;
        break;
      }
      const body = new Uint8Array(buf.subarray(at + HEADER_BYTES, end));
      const message = (buf[at + 4] === 0 ? body : deserialize(body)) as T;
      at = end;
      this.#emit(message);
    }
    this.#parts = at === buf.length ? [] : [buf.subarray(at)];
    this.#held = buf.length - at;
  }
}
