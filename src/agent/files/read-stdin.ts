import { readSync } from "node:fs";
import type { ReadNow } from "../../wire/files/byte-source.ts";

const CHUNK_BYTES = 256 * 1024;
const WAIT_MS = 1;

/**
 * What comes on this process's stdin, read where the reader stands: in a process that does nothing else that is half the
 * work of a stream.
 */
export function readStdin(): ReadNow {
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  return () => buffer.subarray(0, readSome(buffer));
}

function readSome(buffer: Buffer): number {
  for (;;) {
    try {
      return readSync(0, buffer, 0, buffer.length, null);
    } catch (error) {
      const code = error instanceof Error && "code" in error ? error.code : undefined;
      if (code === "EOF") return 0;
      if (code !== "EAGAIN") throw error;
      // Whoever started this process made the pipe non-blocking.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, WAIT_MS);
    }
  }
}
