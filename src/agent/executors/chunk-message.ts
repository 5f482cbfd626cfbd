import type { Work } from "./chunk.ts";

/** Work as one thread gets it: `word` is the index of its claim word in shared memory. */
export interface ChunkMessage extends Work {
  readonly word: number;
}

/** bind u32, body length u32, first id u64, count u32, word u16, mode u8, attempt u8. */
const HEADER_BYTES = 24;

/** Chunks of one message as bytes: cloning a flat buffer costs a fraction of cloning objects. */
export function packChunks(chunks: readonly ChunkMessage[]): Uint8Array {
  let size = 0;
  for (const { body } of chunks) size += HEADER_BYTES + body.byteLength;
  const out = new Uint8Array(size);
  let at = 0;
  for (const { bind, first, count, word, mode, attempt, body } of chunks) {
    u32(out, at, bind);
    u32(out, at + 4, body.byteLength);
    u32(out, at + 8, first % HIGH);
    u32(out, at + 12, Math.floor(first / HIGH));
    u32(out, at + 16, count);
    out[at + 20] = word;
    out[at + 21] = word >>> 8;
    out[at + 22] = mode;
    out[at + 23] = attempt;
    out.set(body, at + HEADER_BYTES);
    at += HEADER_BYTES + body.byteLength;
  }
  return out;
}

const HIGH = 0x1_0000_0000;

function u32(out: Uint8Array, at: number, value: number): void {
  out[at] = value;
  out[at + 1] = value >>> 8;
  out[at + 2] = value >>> 16;
  out[at + 3] = value >>> 24;
}

/** The chunks of a message; bodies are views of it. */
export function unpackChunks(message: Uint8Array): ChunkMessage[] {
  const { buffer, byteOffset, byteLength } = message;
  const view = new DataView(buffer, byteOffset, byteLength);
  const chunks: ChunkMessage[] = [];
  for (let at = 0; at < byteLength;) {
    const size = view.getUint32(at + 4, true);
    chunks.push({
      bind: view.getUint32(at, true),
      first: view.getUint32(at + 8, true) + view.getUint32(at + 12, true) * HIGH,
      count: view.getUint32(at + 16, true),
      word: view.getUint16(at + 20, true),
      mode: message[at + 22]!,
      attempt: message[at + 23]!,
      body: message.subarray(at + HEADER_BYTES, at + HEADER_BYTES + size),
    });
    at += HEADER_BYTES + size;
  }
  return chunks;
}
