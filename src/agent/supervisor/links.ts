import { createServer, type Server, type Socket } from "node:net";
import { type AgentConfig, socketPath } from "../config.ts";
import { type Hello, type HostDeath, type HostReady, jsonLine, type NodeLine, type Refusal } from "../control.ts";
import type { MetricSample } from "../metric-spec.ts";
import type { ToSupervisorFromHost } from "../host-channel.ts";
import { ControlLink } from "./control-link.ts";
import { malformed, parseHello, readFirstLine, sameToken, stopReading } from "./hello.ts";
import type { HostKeeper } from "./host-keeper.ts";

/** Connections that have not shown a token yet. */
const STRANGERS_MAX = 64;
const DRAIN_MS = 1000;
/** They leave, or are thrown out, in seconds. */
const BUSY: Refusal = {
  ok: false,
  code: "SKY_LINK_BUSY",
  error: `${STRANGERS_MAX} connections have not sent their first line yet`,
  retryable: true,
};

export interface LinksOptions {
  readonly config: AgentConfig;
  readonly hosts: () => HostKeeper;
  readonly end: () => void;
  /** The controller leaves, and another one may come within so many milliseconds. */
  readonly keep: (ms: number) => void;
  /** There is (`true`) or there is no more a control link. */
  readonly controlled: (held: boolean) => void;
  /** The controller said something on its control link. */
  readonly heard: () => void;
}

interface DataLink {
  readonly epoch: number;
  readonly socket: Socket;
  readonly pass: (hosts: HostKeeper) => void;
}

/** Who may talk to this node: tokens, epochs, the one control link, and data links on their way to the host. */
export class Links {
  readonly #options: LinksOptions;
  readonly #server: Server;
  #epoch: number;
  #strangers = 0;
  #control: ControlLink | undefined;
  /** The newest data link, while the host can't take it yet. */
  #waiting: DataLink | undefined;
  /** Sockets of `attach` processes whose pipes the host has, by their pid. */
  readonly #adopted = new Map<number, { readonly epoch: number; readonly socket: Socket; readonly bulk: boolean }>();

  constructor(options: LinksOptions) {
    this.#options = options;
    this.#epoch = options.config.epoch;
    this.#server = createServer((socket) => void this.#accept(socket));
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject).listen(socketPath(this.#options.config.dir), resolve);
    });
  }

  hostReady(state: HostReady): void {
    this.#control?.send(state);
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.pass(this.#options.hosts());
  }

  hostDead(death: HostDeath): void {
    this.#control?.send(death);
    this.#closeAdopted(Infinity);
  }

  hostSaid(message: Extract<ToSupervisorFromHost, { pid: number }>): void {
    const socket = this.#adopted.get(message.pid)?.socket;
    this.#adopted.delete(message.pid);
    if (message.type === "adopt-failed") socket?.end(`${JSON.stringify({ relay: true, error: message.error })}\n`);
    else socket?.destroySoon();
  }

  metrics(samples: readonly MetricSample[]): void {
    this.#control?.send({ type: "metrics", samples });
  }

  log(line: NodeLine): void {
    this.#control?.send(line);
  }

  async #accept(socket: Socket): Promise<void> {
    // Every reason shows as a close.
    socket.on("error", () => undefined);
    if (this.#strangers >= STRANGERS_MAX) return refuse(socket, BUSY);
    this.#strangers++;
    const first = await readFirstLine(socket);
    this.#strangers--;
    if (!("line" in first)) return refuse(socket, first);
    const hello = parseHello(first.line);
    const refusal = "ok" in hello ? hello : this.#check(hello);
    if (refusal !== undefined || "ok" in hello) return refuse(socket, refusal ?? malformed("no first line"));
    this.#fence(hello.epoch);
    if (hello.kind === "control") this.#takeControl(socket, hello, first.leftover);
    else this.#takeData(socket, hello, first.leftover);
  }

  #check({ token, epoch }: Hello): Refusal | undefined {
    if (!sameToken(token, this.#options.config.token)) return refusalOf("the token is not this agent's");
    if (epoch >= this.#epoch) return undefined;
    return refusalOf(`epoch ${epoch} has ended: a controller with epoch ${this.#epoch} owns this node`);
  }

  /** A newer controller ends all links of the ones before. */
  #fence(epoch: number): void {
    if (epoch === this.#epoch) return;
    this.#epoch = epoch;
    const control = this.#control;
    this.#control = undefined;
    control?.close();
    if (control !== undefined) this.#options.controlled(false);
    this.#waiting?.socket.destroy();
    this.#waiting = undefined;
    this.#options.hosts().send({ type: "fence", epoch });
    this.#closeAdopted(epoch);
  }

  #takeControl(socket: Socket, { epoch }: Hello, leftover: Buffer): void {
    const older = this.#control;
    const { state, lastDeath } = this.#options.hosts();
    const link: ControlLink = new ControlLink(
      socket,
      epoch,
      { ok: true, pid: process.pid },
      {
        end: this.#options.end,
        keep: (ms) => {
          this.#closeAdopted(Infinity);
          this.#options.keep(ms);
        },
        heard: this.#options.heard,
        closed: () => {
          if (this.#control !== link) return;
          this.#control = undefined;
          this.#options.controlled(false);
        },
      },
    );
    this.#control = link;
    older?.close();
    this.#options.controlled(true);
    if (lastDeath !== undefined) link.send(lastDeath);
    if (state !== undefined) link.send(state);
    link.start(leftover);
  }

  #takeData(socket: Socket, { epoch, kind, pid, link }: Hello, leftover: Buffer): void {
    const bulk = kind === "bulk" || link === "bulk";
    const pass = (hosts: HostKeeper): void => {
      if (pid === undefined) {
        if (socket.destroyed) return;
        // Streams read on by themselves after a pause: without this, bytes meant for the host would end here.
        // Taking what was read makes the stream read again, so stopping comes last.
        const more = (socket.read() as Buffer | null) ?? Buffer.alloc(0);
        stopReading(socket);
        const left = Buffer.concat([leftover, more]).toString("base64");
        hosts.send({ type: "link", epoch, leftover: left, bulk }, socket);
        return;
      }
      this.#adopted.set(pid, { epoch, socket, bulk });
      socket.once("close", () => {
        if (this.#adopted.get(pid)?.socket === socket) this.#adopted.delete(pid);
      });
      // Reading shows when the attach ends; it says nothing more.
      socket.resume();
      hosts.send({ type: "adopt", epoch, pid, bulk });
    };
    const hosts = this.#options.hosts();
    if (bulk) {
      this.#closeAdopted(Infinity, true);
      // A host that is not ready has nothing that could go on; the controller asks again.
      return hosts.state === undefined ? refuse(socket, refusalOf("there is no host now")) : pass(hosts);
    }
    this.#waiting?.socket.destroy();
    this.#waiting = undefined;
    this.#closeAdopted(Infinity, false);
    if (hosts.state === undefined) this.#waiting = { epoch, socket, pass };
    else pass(hosts);
  }

  #closeAdopted(below: number, which?: boolean): void {
    for (const [pid, { epoch, socket, bulk }] of this.#adopted) {
      if (epoch >= below || (which !== undefined && bulk !== which)) continue;
      this.#adopted.delete(pid);
      socket.destroySoon();
    }
  }
}

/** Says why and hangs up. What the other side still sends is taken first, else the reset would overtake the answer. */
function refuse(socket: Socket, refusal: Refusal): void {
  const timer = setTimeout(() => socket.destroy(), DRAIN_MS);
  socket.once("close", () => clearTimeout(timer));
  socket.resume().end(jsonLine(refusal));
}

function refusalOf(error: string): Refusal {
  return { ok: false, code: "SKY_LINK_REFUSED", error };
}
