import { Duplex } from "node:stream";
import type { ClientChannel } from "ssh2";

/**
 * A session's stdin and stdout as a stream that ends the way Node's sockets do: `destroy()` is final at once, a write
 * to a closed session fails, and the end of one direction is the end of both. ssh2's own channel does none of these.
 */
export class SessionStream extends Duplex {
  readonly #channel: ClientChannel;

  constructor(channel: ClientChannel) {
    super({ allowHalfOpen: false });
    this.#channel = channel;
    channel.on("data", (chunk: Buffer) => {
      if (!this.push(chunk)) channel.pause();
    });
    channel.once("end", () => this.push(null));
    channel.once("close", () => {
      if (!channel.readableEnded) this.destroy();
    });
    channel.on("error", (error: Error) => this.destroy(error));
    // A broken link shows as its close; nobody has to listen for the error too.
    this.on("error", () => undefined);
  }

  override _read(): void {
    this.#channel.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    if (this.#channel.writable) this.#channel.write(chunk, done);
    else done(new Error("the SSH session has ended"));
  }

  override _final(done: () => void): void {
    this.#channel.end();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#channel.destroy();
    this.#channel.resume();
    done(error);
  }
}
