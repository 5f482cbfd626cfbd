import type { Socket } from "node:net";
import { CONTROL_LINE_MAX_BYTES, type Answer, jsonLine, type ToController, type ToSupervisor } from "../control.ts";
import { Lines } from "../lines.ts";

/** Log lines are dropped while the controller leaves this much unread. */
const UNREAD_MAX_BYTES = 1024 * 1024;

export interface ControlHandlers {
  end(): void;
  keep(ms: number): void;
  /** Something came. */
  heard(): void;
  /** The link is gone: cut, closed by the controller, or replaced. */
  closed(): void;
}

/** One control link after its first line: NDJSON both ways. */
export class ControlLink {
  readonly epoch: number;
  readonly #socket: Socket;
  readonly #lines = new Lines(CONTROL_LINE_MAX_BYTES);
  readonly #handlers: ControlHandlers;
  #dropped = 0;

  constructor(socket: Socket, epoch: number, answer: Answer, handlers: ControlHandlers) {
    this.epoch = epoch;
    this.#socket = socket;
    this.#handlers = handlers;
    socket.on("data", (chunk: Buffer) => this.#read(chunk));
    socket.once("close", () => handlers.closed());
    socket.write(jsonLine(answer));
  }

  send(message: ToController): void {
    if (this.#socket.destroyed || this.#socket.writableEnded) return;
    // A sample that comes late is worth nothing.
    if (message.type === "metrics" && this.#socket.writableLength > 0) return;
    if (message.type === "log" && this.#socket.writableLength > UNREAD_MAX_BYTES) {
      this.#dropped++;
      return;
    }
    if (this.#dropped > 0) {
      const line = `${this.#dropped} lines were dropped: the controller did not read them in time`;
      this.#dropped = 0;
      this.#socket.write(jsonLine({ type: "log", level: "warn", line }));
    }
    this.#socket.write(jsonLine(message));
  }

  close(): void {
    this.#socket.destroySoon();
  }

  /** Reads what came in behind the first line. */
  start(leftover: Buffer): void {
    this.#read(leftover);
    this.#socket.resume();
  }

  #read(chunk: Buffer): void {
    if (this.#socket.writableEnded) return;
    this.#handlers.heard();
    const lines = this.#lines.push(chunk);
    if (lines === undefined) return this.#refuse(`a line is longer than ${CONTROL_LINE_MAX_BYTES} bytes`);
    for (const line of lines) this.#handle(line);
  }

  #handle(line: string): void {
    let message: Partial<ToSupervisor> | null;
    try {
      message = JSON.parse(line) as Partial<ToSupervisor> | null;
    } catch {
      return this.#refuse("a line is not JSON");
    }
    if (message?.type === "ping" && typeof message.id === "number")
      this.send({ type: "pong", id: message.id, at: performance.timeOrigin + performance.now() });
    else if (message?.type === "end") this.#handlers.end();
    else if (message?.type === "keep" && typeof message.ms === "number" && message.ms > 0) {
      this.#handlers.keep(message.ms);
      this.send({ type: "kept" });
    } else this.#refuse(`no message of this protocol: ${line.slice(0, 80)}`);
  }

  #refuse(error: string): void {
    this.send({ type: "error", code: "SKY_WIRE_MALFORMED", error });
    this.close();
  }
}
