import { closeSync, constants, openSync } from "node:fs";
import { Socket } from "node:net";
import { Duplex } from "node:stream";
import { readInto, type ReadsInto, type Sink } from "../wire/read-into.ts";

/**
 * Opens another process's stdin and stdout as one stream, so that no byte passes that process. Linux, same user, and
 * pipes only (what sshd gives an exec session). The other process keeps its own descriptors and must not use them.
 */
export function adopt(pid: number): Duplex {
  const input = openSync(`/proc/${pid}/fd/0`, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const output = openSync(`/proc/${pid}/fd/1`, constants.O_WRONLY | constants.O_NONBLOCK);
    return new PipePair(
      new Socket({ fd: input, readable: true, writable: false }),
      new Socket({ fd: output, readable: false, writable: true }),
    );
  } catch (error) {
    closeSync(input);
    throw error;
  }
}

interface QueuedWrite {
  readonly chunk: Buffer;
}

/** Two one-way pipes as one stream. The end of either is the end of both: a link has no half-open state. */
class PipePair extends Duplex implements ReadsInto {
  #input: Duplex;
  readonly #output: Socket;

  constructor(input: Socket, output: Socket) {
    super({ allowHalfOpen: false, decodeStrings: true });
    this.#input = input;
    this.#output = output;
    input.on("data", this.#onData);
    this.#watch(input);
    output.on("close", () => this.destroy());
    output.on("error", (error) => this.destroy(error));
  }

  /** From now on nothing comes out of this stream but its end. */
  readInto(sink: Sink): void {
    const input = this.#input;
    input.off("data", this.#onData);
    this.#input = readInto(input, sink);
    if (this.#input !== input) this.#watch(this.#input);
  }

  #onData = (chunk: Buffer): void => {
    if (!this.push(chunk)) this.#input.pause();
  };

  #watch(input: Duplex): void {
    input.on("end", () => this.push(null));
    // After its end the last bytes may still wait to be read here.
    input.on("close", () => {
      if (input === this.#input && !input.readableEnded) this.destroy();
    });
    input.on("error", (error) => this.destroy(error));
  }

  override _read(): void {
    this.#input.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#output.write(chunk, done);
  }

  override _writev(chunks: readonly QueuedWrite[], done: (error?: Error | null) => void): void {
    this.#output.cork();
    const last = chunks.length - 1;
    chunks.forEach(({ chunk }, index) => this.#output.write(chunk, index === last ? done : undefined));
    this.#output.uncork();
  }

  override _final(done: () => void): void {
    this.#output.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#input.destroy();
    this.#output.destroy();
    done(error);
  }
}
