import { Buffer } from "node:buffer";

/**
 * Most that is kept, and how long: writing to memory that was in use is several times faster than to fresh memory. Long
 * enough that 256 MiB over SSH, there and back, finds what it left.
 */
const SPARE_MAX_BYTES = 512 * 1024 * 1024;
const SPARE_MS = 6000;
/** A value takes a buffer that is larger by at most this share. */
const SLACK = 1.25;

/** Buffers that nobody uses; those let go last come last. */
const spare: ArrayBuffer[] = [];
let spareBytes = 0;
let letGoAt = 0;
let timer: ReturnType<typeof setTimeout> | undefined;
/** How many use a buffer of ours. */
const uses = new WeakMap<ArrayBufferLike, number>();

/** Memory for so many bytes, which has anything in it. Whoever never calls `letGo` leaves it to the garbage collector. */
export function takeMemory(bytes: number): Uint8Array {
  const found = spare.findLastIndex(({ byteLength }) => byteLength >= bytes && byteLength <= bytes * SLACK);
  let buffer = found < 0 ? undefined : spare.splice(found, 1)[0]!;
  if (buffer) spareBytes -= buffer.byteLength;
  else {
    // What is made anew takes the place of what was of no use.
    forget(Math.max(0, spareBytes - bytes));
    buffer = Buffer.allocUnsafeSlow(bytes).buffer;
  }
  uses.set(buffer, 1);
  return Buffer.from(buffer, 0, bytes);
}

/** One more needs these bytes as they are. */
export function keepMemory(parts: readonly Uint8Array[]): void {
  for (const { buffer } of parts) {
    const count = uses.get(buffer);
    if (count !== undefined) uses.set(buffer, count + 1);
  }
}

/** One who took or kept these bytes needs them no more. Memory that came from elsewhere is left alone. */
export function letGo(parts: readonly Uint8Array[]): void {
  for (const { buffer } of parts) {
    const count = uses.get(buffer);
    if (count === undefined) continue;
    if (count > 1) uses.set(buffer, count - 1);
    else {
      uses.delete(buffer);
      put(buffer as ArrayBuffer);
    }
  }
}

function put(buffer: ArrayBuffer): void {
  if (buffer.byteLength > SPARE_MAX_BYTES) return;
  forget(SPARE_MAX_BYTES - buffer.byteLength);
  spare.push(buffer);
  spareBytes += buffer.byteLength;
  letGoAt = performance.now();
  timer ??= setTimeout(look, SPARE_MS).unref();
}

/** One timer while there is something, however often it is used. */
function look(): void {
  const leftMs = letGoAt + SPARE_MS - performance.now();
  timer = undefined;
  if (leftMs > 1) timer = setTimeout(look, leftMs).unref();
  else forget(0);
}

/** Gives the oldest back until so much is left. */
function forget(bytes: number): void {
  while (spareBytes > bytes) {
    const buffer = spare.shift()!;
    spareBytes -= buffer.byteLength;
    // A program that is idle collects no garbage; what is sent to a closed port is freed at once.
    const { port1 } = new MessageChannel();
    port1.close();
    port1.postMessage(undefined, [buffer]);
  }
}
