import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import type * as sky from "skyward";
import { type Machine, wrapMachines } from "../support/wrap-machines.ts";

export type LinkKey = Parameters<Machine["connect"]>[1];

/** What a spying provider has seen. */
export interface Spied {
  readonly provider: sky.Provider;
  readonly key: () => LinkKey;
  /** The session that the host named last, and how many of its frames have arrived here. */
  readonly session: () => string;
  readonly received: () => number;
  readonly links: { control: number; data: number; bulk: number };
}

/** A provider that tells the key of its links and the session of its data link. */
export function spying(inner: sky.Provider): Spied {
  let key: LinkKey | undefined;
  let session = "";
  let received = 0;
  const links = { control: 0, data: 0, bulk: 0 };
  const listen = (stream: Duplex): Duplex => {
    const push = stream.push.bind(stream);
    const write = stream.write.bind(stream) as (...args: unknown[]) => boolean;
    let held: Buffer = Buffer.alloc(0);
    let lined = false;
    stream.push = (chunk: Buffer | null, encoding?: BufferEncoding) => {
      if (chunk !== null) {
        held = Buffer.concat([held, chunk]);
        const end = lined ? -1 : held.indexOf(10);
        if (end >= 0) {
          lined = true;
          session = /"session":"([^"]+)"/.exec(held.toString("latin1", 0, end))?.[1] ?? session;
          held = held.subarray(end + 1);
        }
        while (lined && held.length >= 4 && held.length >= 4 + held.readUInt32LE(0)) {
          if (held.readUInt32LE(0) > 4) received++;
          held = held.subarray(4 + held.readUInt32LE(0));
        }
      }
      return push(chunk, encoding);
    };
    stream.write = ((...args: unknown[]) => {
      const said = lined ? null : /"received":(\d+)/.exec(String(args[0]));
      if (said) received = Number(said[1]);
      return write(...args);
    }) as typeof stream.write;
    return stream;
  };
  const provider = wrapMachines(inner, (machine) => ({
    connect: async (kind, given, connectSignal) => {
      key = given;
      links[kind]++;
      const stream = await machine.connect(kind, given, connectSignal);
      return kind === "data" ? listen(stream) : stream;
    },
  }));
  return { provider, key: () => key!, session: () => session, received: () => received, links };
}

/** A client of an agent's socket that speaks no protocol by itself. */
export class RawLink {
  readonly socket: Socket;
  /** Everything until the other side hung up. */
  readonly all: Promise<Buffer>;
  #data: Buffer = Buffer.alloc(0);
  #heard: (() => void)[] = [];
  #ended = false;

  constructor(path: string) {
    this.socket = connect(path);
    this.socket.on("error", () => undefined);
    this.socket.on("data", (chunk: Buffer) => {
      this.#data = Buffer.concat([this.#data, chunk]);
      for (const heard of this.#heard.splice(0)) heard();
    });
    this.all = new Promise((resolve) =>
      this.socket.once("close", () => {
        this.#ended = true;
        for (const heard of this.#heard.splice(0)) heard();
        resolve(this.#data);
      }),
    );
  }

  send(bytes: string | Uint8Array): this {
    this.socket.write(bytes);
    return this;
  }

  /** The next line; "" when the other side hung up. */
  async line(): Promise<string> {
    for (;;) {
      const end = this.#data.indexOf(10);
      if (end >= 0) {
        const line = this.#data.toString("utf8", 0, end);
        this.#data = this.#data.subarray(end + 1);
        return line;
      }
      if (this.#ended) return "";
      await new Promise<void>((resolve) => this.#heard.push(resolve));
    }
  }
}

/** `u32 length, u32 acknowledged, records`, each record `u8 operation, u32 length, body`. */
export function frame(
  acknowledged: number,
  ...records: readonly (readonly [op: number, body: Uint8Array, length?: number])[]
): Buffer {
  const parts = records.map(([op, body, length = body.length]) => {
    const head = Buffer.alloc(5);
    head[0] = op;
    head.writeUInt32LE(length, 1);
    return Buffer.concat([head, body]);
  });
  const body = Buffer.concat(parts);
  const head = Buffer.alloc(8);
  head.writeUInt32LE(4 + body.length, 0);
  head.writeUInt32LE(acknowledged >>> 0, 4);
  return Buffer.concat([head, body]);
}
