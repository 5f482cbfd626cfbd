import type { Readable, Writable } from "node:stream";

/** Kinds of pieces of a shell's conversation. */
export const FRAME = {
  /** Of the terminal, or of stdin and stdout. */
  bytes: 0,
  /** To the client: the exit code. From it: the terminal's new size, `columns rows`. */
  number: 1,
  /** Of stderr, where there is no terminal. */
  stderr: 2,
  /** Stdin has ended. */
  end: 3,
} as const;

export type FrameKind = (typeof FRAME)[keyof typeof FRAME];

/** A piece: its kind, how long it is, what. */
export function frame(kind: FrameKind, bytes: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head[0] = kind;
  head.writeUInt32LE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}

/** Passes a stream on in frames, as fast as they are taken. */
export function sendFrames(from: Readable, kind: FrameKind, to: Writable): void {
  from.on("data", (chunk: Buffer) => {
    if (to.write(frame(kind, chunk))) return;
    from.pause();
    to.once("drain", () => from.resume());
  });
}

/** Calls back for each whole frame of a stream. */
export function onFrames(socket: Readable, take: (kind: number, bytes: Buffer) => void): void {
  let held: Buffer = Buffer.alloc(0);
  socket.on("data", (chunk: Buffer) => {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    while (held.length >= 5 && held.length >= 5 + held.readUInt32LE(1)) {
      const end = 5 + held.readUInt32LE(1);
      take(held[0]!, held.subarray(5, end));
      held = held.subarray(end);
    }
  });
}
