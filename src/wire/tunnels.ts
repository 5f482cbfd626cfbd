import type { Socket } from "node:net";
import { need } from "./records.ts";
import type { Session } from "./session.ts";

/** Connection u32, port u16; then the bytes. */
const HEADER_BYTES = 6;

export interface TunnelOps {
  readonly data: number;
  readonly end: number;
}

/** TCP connections of one machine that go on at the other end of a session. */
export class Tunnels {
  readonly #session: () => Session;
  readonly #ops: TunnelOps;
  readonly #sockets = new Map<number, Socket>();

  /** @param ops of the records that leave here */
  constructor(session: () => Session, ops: TunnelOps) {
    this.#session = session;
    this.#ops = ops;
  }

  /** Passes on what the socket brings, and its end. */
  join(connection: number, port: number, socket: Socket): void {
    this.#sockets.set(connection, socket);
    socket.on("data", (bytes: Buffer) => this.#send(this.#ops.data, connection, port, bytes));
    socket.on("error", () => {});
    socket.on("close", () => {
      if (this.#sockets.delete(connection)) this.refuse(connection, port);
    });
  }

  /** Tells the other side that a connection is over. */
  refuse(connection: number, port: number): void {
    this.#send(this.#ops.end, connection, port);
  }

  /** Bytes from the other side. `fresh` makes the socket of a connection that is not known here. */
  data(buf: Buffer, start: number, end: number, fresh: (connection: number, port: number) => Socket | undefined): void {
    const { connection, port } = read(buf, start, end);
    if (!this.#sockets.has(connection)) {
      const socket = fresh(connection, port);
      if (!socket) return this.refuse(connection, port);
      this.join(connection, port, socket);
    }
    if (end > start + HEADER_BYTES)
      this.#sockets.get(connection)!.write(Buffer.from(buf.subarray(start + HEADER_BYTES, end)));
  }

  /** The other side's end of a connection is over. */
  end(buf: Buffer, start: number, end: number): void {
    const { connection } = read(buf, start, end);
    const socket = this.#sockets.get(connection);
    this.#sockets.delete(connection);
    socket?.destroySoon();
  }

  dispose(): void {
    for (const socket of this.#sockets.values()) socket.destroy();
    this.#sockets.clear();
  }

  #send(op: number, connection: number, port: number, bytes?: Buffer): void {
    const session = this.#session();
    session.open(op);
    session.out.u32(connection);
    session.out.u16(port);
    if (bytes) session.out.bytes(bytes);
    session.close();
    session.flush();
  }
}

function read(buf: Buffer, start: number, end: number): { readonly connection: number; readonly port: number } {
  need(start, end, HEADER_BYTES, "DEBUG");
  return { connection: buf.readUInt32LE(start), port: buf.readUInt16LE(start + 4) };
}
