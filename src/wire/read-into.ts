import { Socket } from "node:net";
import type { Duplex } from "node:stream";

/** Takes bytes that it says the place for. */
export interface Sink {
  /** Where the next bytes should be put; asked before each read. */
  room(): Uint8Array;
  /** So many bytes have been put there. */
  filled(bytes: number): void;
  /** The next bytes, which have been read to somewhere else. */
  push(data: Buffer): void;
}

/** A stream made of others, which can read to a sink by itself. */
export interface ReadsInto {
  readInto(sink: Sink): void;
}

interface Handle {
  readonly useUserBuffer?: unknown;
}

/**
 * Reads a stream that stood still up to here to a sink. Of a socket the kernel writes where the sink says, without a copy
 * in between; such a stream is replaced by the one that is returned, and ends with it.
 */
export function readInto(stream: Duplex, sink: Sink): Duplex {
  const waiting = stream.read() as Buffer | null;
  if (waiting) sink.push(waiting);
  const direct = stream instanceof Socket ? socketInto(stream, sink) : undefined;
  if (direct) return direct;
  if ("readInto" in stream) (stream as Duplex & ReadsInto).readInto(sink);
  else stream.on("data", (data: Buffer) => sink.push(data));
  stream.resume();
  return stream;
}

/** A socket can be told only when it is made where to read to: the handle moves to a new one. */
function socketInto(socket: Socket, sink: Sink): Socket | undefined {
  const held = socket as unknown as { _handle: Handle | null };
  const handle = held._handle;
  if (socket.destroyed || socket.connecting || socket.writableLength > 0 || !handle?.useUserBuffer) return undefined;
  held._handle = null;
  const direct = new Socket({
    handle,
    readable: true,
    writable: socket.writable,
    onread: {
      buffer: () => sink.room(),
      callback: (bytes: number) => {
        sink.filled(bytes);
        return true;
      },
    },
  } as ConstructorParameters<typeof Socket>[0]);
  socket.once("close", () => direct.destroy());
  direct.once("close", () => socket.destroy());
  // Who made the stream may listen for errors there.
  direct.on("error", () => undefined);
  return direct;
}
