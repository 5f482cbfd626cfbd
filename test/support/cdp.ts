import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { request } from "node:http";
import type { Duplex } from "node:stream";

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly message: string };
}

/** A debugger's end of the DevTools protocol: text frames below 64 KiB over one WebSocket (Node 20 has none of its own). */
export class Cdp {
  readonly #socket: Duplex;
  readonly #replies = new Map<number, (message: Message) => void>();
  readonly #events: Message[] = [];
  #heard: (() => void) | undefined;
  #held = Buffer.alloc(0);
  #next = 1;
  /** Resolves when the other side has hung up. */
  readonly closed: Promise<unknown>;

  private constructor(socket: Duplex, head: Buffer) {
    this.#socket = socket;
    this.closed = once(socket, "close");
    socket.on("error", () => {});
    socket.on("data", (chunk: Buffer) => this.#read(chunk));
    this.#read(head);
  }

  static async connect(address: string): Promise<Cdp> {
    const asked = request(address.replace(/^ws/, "http"), {
      headers: {
        connection: "Upgrade",
        upgrade: "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": randomBytes(16).toString("base64"),
      },
    });
    asked.end();
    const [, socket, head] = (await once(asked, "upgrade")) as [unknown, Duplex, Buffer];
    return new Cdp(socket, head);
  }

  async call(method: string, params: object = {}): Promise<Record<string, unknown>> {
    const id = this.#next++;
    const reply = new Promise<Message>((resolve) => this.#replies.set(id, resolve));
    this.#send(JSON.stringify({ id, method, params }));
    const { result, error } = await reply;
    if (error) throw new Error(`${method}: ${error.message}`);
    return result ?? {};
  }

  /** The next event of a kind, which is then forgotten. */
  async event(method: string): Promise<Record<string, unknown>> {
    for (;;) {
      const index = this.#events.findIndex((event) => event.method === method);
      if (index >= 0) return this.#events.splice(index, 1)[0]!.params ?? {};
      await new Promise<void>((resolve) => (this.#heard = resolve));
    }
  }

  close(): void {
    this.#socket.destroy();
  }

  #send(text: string): void {
    const body = Buffer.from(text);
    const mask = randomBytes(4);
    const length =
      body.length < 126 ? Buffer.from([128 | body.length]) : Buffer.from([254, body.length >> 8, body.length & 255]);
    for (const [i, byte] of body.entries()) body[i] = byte ^ mask[i % 4]!;
    this.#socket.write(Buffer.concat([Buffer.from([129]), length, mask, body]));
  }

  #read(chunk: Buffer): void {
    this.#held = Buffer.concat([this.#held, chunk]);
    for (;;) {
      const short = (this.#held[1] ?? 0) & 127;
      const header = short === 126 ? 4 : short === 127 ? 10 : 2;
      if (this.#held.length < header) return;
      const length =
        short === 126 ? this.#held.readUInt16BE(2) : short === 127 ? Number(this.#held.readBigUInt64BE(2)) : short;
      if (this.#held.length < header + length) return;
      const text = this.#held.toString("utf8", header, header + length);
      const isText = (this.#held[0]! & 15) === 1;
      this.#held = this.#held.subarray(header + length);
      if (isText) this.#take(JSON.parse(text) as Message);
    }
  }

  #take(message: Message): void {
    if (message.id === undefined) {
      this.#events.push(message);
      this.#heard?.();
      return;
    }
    this.#replies.get(message.id)?.(message);
    this.#replies.delete(message.id);
  }
}
