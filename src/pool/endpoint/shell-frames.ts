import type { Duplex } from "node:stream";

/** A piece of a shell's conversation: what kind (0 bytes, 1 exit code or size), how long, what. */
export function frame(kind: 0 | 1, bytes: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head[0] = kind;
  head.writeUInt32LE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}

/** Calls back for each whole frame of a stream. */
export function onFrames(socket: Duplex, take: (kind: number, bytes: Buffer) => void): void {
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
