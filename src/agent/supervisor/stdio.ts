import { closeSync, openSync, readSync, writeSync } from "node:fs";

const NEWLINE = 10;

/**
 * Reads one line from a descriptor byte by byte, so that nothing behind its newline is taken.
 * @returns undefined when the stream ended before, or the line is longer than `limit` bytes
 */
export function readLine(fd: number, limit: number): string | undefined {
  const byte = Buffer.alloc(1);
  const line: number[] = [];
  while (line.length < limit) {
    if (!readByte(fd, byte)) return undefined;
    if (byte[0] === NEWLINE) return Buffer.from(line).toString();
    line.push(byte[0]!);
  }
  return undefined;
}

function readByte(fd: number, byte: Buffer): boolean {
  for (;;) {
    try {
      return readSync(fd, byte, 0, 1, null) === 1;
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EAGAIN")) return false;
      // Somebody made the pipe non-blocking; there is nothing else to do here meanwhile.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}

/** Writes at once; a reader that has gone is none of the writer's business. */
export function writeLine(fd: number, line: string): void {
  try {
    writeSync(fd, `${line}\n`);
  } catch {
    // EPIPE
  }
}

/** Lets go of the session that started this process: it ends when nobody holds its pipes. */
export function detachStdio(): void {
  for (const fd of [0, 1, 2]) {
    closeSync(fd);
    openSync("/dev/null", fd === 0 ? "r" : "w");
  }
}
