import { type AddressInfo, createServer, type Server } from "node:net";
import { Op } from "../../wire/ops.ts";
import { type InspectorRecord, readJson } from "../../wire/records.ts";
import type { Session } from "../../wire/session.ts";
import { Tunnels } from "../../wire/tunnels.ts";

/** Where a debugger on this machine reaches a task that waits for one. */
export interface Inspectable {
  readonly task: number;
  readonly attempt: number;
  readonly port: number;
  /** `ws://127.0.0.1:PORT/...` */
  readonly address: string;
}

/** Ports on this machine's loopback that lead to the inspectors of one node. */
export class DebugPorts {
  readonly #tunnels: Tunnels;
  readonly #opened: (news: Inspectable) => void;
  /** By the inspector's port on the node. */
  readonly #servers = new Map<number, Server>();
  #connections = 0;

  constructor(session: () => Session, opened: (news: Inspectable) => void) {
    this.#tunnels = new Tunnels(session, { data: Op.DEBUG, end: Op.DEBUG_END });
    this.#opened = opened;
  }

  record(op: number, buf: Buffer, start: number, end: number): void {
    if (op === Op.DEBUGGED_END) return this.#tunnels.end(buf, start, end);
    if (op === Op.DEBUGGED) return this.#tunnels.data(buf, start, end, () => undefined);
    const news = readJson<InspectorRecord>(buf, start, end);
    if (news.path === undefined) this.#close(news.port);
    else this.#open(news.port, news.path, news.task ?? -1, news.attempt ?? 1);
  }

  dispose(): void {
    for (const port of this.#servers.keys()) this.#close(port);
    this.#tunnels.dispose();
  }

  #open(remote: number, path: string, task: number, attempt: number): void {
    this.#close(remote);
    const server = createServer((socket) => this.#tunnels.join(++this.#connections, remote, socket));
    this.#servers.set(remote, server);
    server.on("error", () => {});
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      this.#opened({ task, attempt, port, address: `ws://127.0.0.1:${port}${path}` });
    });
    server.unref();
  }

  #close(remote: number): void {
    this.#servers.get(remote)?.close();
    this.#servers.delete(remote);
  }
}
