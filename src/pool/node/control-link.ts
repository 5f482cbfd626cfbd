import type { Duplex } from "node:stream";
import {
  type Answer,
  CONTROL_LINE_MAX_BYTES,
  type HostDeath,
  type HostReady,
  jsonLine,
  type NodeLine,
  type ToController,
} from "../../agent/control.ts";
import type { MetricSample } from "../../agent/metric-spec.ts";
import { Lines } from "../../agent/lines.ts";
import { SkyError } from "../../errors/sky-error.ts";
import { readLine } from "../../wire/hello.ts";

const ANSWER_MS = 15_000;
const PING_MS = 2000;
/** The first pings meet an agent that is busy starting, and say little of its clock: more follow soon. */
const FIRST_PING_MS = 50;

export interface ControlLinkEvents {
  host(state: HostReady | HostDeath): void;
  log(line: NodeLine): void;
  metrics(samples: readonly MetricSample[]): void;
  /** A ping came back. `nodeMs`: the node's clock half a round trip ago, ms since the epoch. */
  roundTrip(ms: number, nodeMs: number): void;
  /** @param gone the node's supervisor has ended, and will not come back */
  down(gone: boolean): void;
}

/** The controller's end of a node's control link: one stream, replaced as a whole when it is cut. */
export class ControlLink {
  readonly #stream: Duplex;
  readonly #events: ControlLinkEvents;
  readonly #lines = new Lines(CONTROL_LINE_MAX_BYTES);
  readonly #pings = new Map<number, number>();
  #pingId = 0;
  #answered: ((kept: boolean) => void) | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** Waits for the supervisor's answer on a stream whose first line has been sent. */
  static async open(stream: Duplex, events: ControlLinkEvents): Promise<ControlLink> {
    const { line, rest } = await readLine(stream, CONTROL_LINE_MAX_BYTES, ANSWER_MS);
    let answer: Answer;
    try {
      answer = JSON.parse(line) as Answer;
    } catch (cause) {
      throw new SkyError("SKY_WIRE_MALFORMED", "the supervisor's answer is not JSON", { cause });
    }
    if (!answer.ok)
      throw new SkyError(answer.code, `the node refused the link: ${answer.error}`, {
        retryable: answer.retryable ?? false,
      });
    // It would not tell its end a second time.
    if (stream.destroyed) throw new SkyError("SKY_LINK_LOST", "the control link was closed", { retryable: true });
    return new ControlLink(stream, rest, events);
  }

  private constructor(stream: Duplex, rest: Buffer, events: ControlLinkEvents) {
    this.#stream = stream;
    this.#events = events;
    stream.on("data", (data: Buffer) => this.#data(data));
    stream.on("error", () => this.#down());
    stream.on("end", () => this.#down());
    stream.on("close", () => this.#down());
    if (rest.length > 0) this.#data(rest);
    stream.resume();
    this.#pingAfter(FIRST_PING_MS);
    this.ping();
  }

  ping(): void {
    const id = ++this.#pingId;
    this.#pings.set(id, performance.now());
    this.#stream.write(jsonLine({ type: "ping", id }));
  }

  /** The orderly goodbye. */
  end(): Promise<void> {
    clearTimeout(this.#timer);
    return new Promise((resolve) => this.#stream.write(jsonLine({ type: "end" }), () => resolve()));
  }

  /** Leaves the node to a later controller. False when it did not say in time that it waits. */
  keep(ms: number, limitMs: number): Promise<boolean> {
    clearTimeout(this.#timer);
    return new Promise((resolve) => {
      const late = setTimeout(() => resolve(false), limitMs);
      this.#answered = (kept) => {
        clearTimeout(late);
        resolve(kept);
      };
      this.#stream.write(jsonLine({ type: "keep", ms }));
    });
  }

  dispose(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#stream.destroy();
  }

  #pingAfter(ms: number): void {
    this.#timer = setTimeout(() => {
      this.#pingAfter(Math.min(PING_MS, ms * 2));
      this.ping();
    }, ms).unref();
  }

  #data(data: Buffer): void {
    const lines = this.#lines.push(data);
    if (!lines) return this.#stream.destroy() as unknown as void;
    for (const line of lines) {
      try {
        this.#said(JSON.parse(line) as ToController);
      } catch {
        this.#stream.destroy();
        return;
      }
    }
  }

  #said(message: ToController): void {
    if (message.type === "pong") {
      const sent = this.#pings.get(message.id);
      this.#pings.delete(message.id);
      if (sent !== undefined) this.#events.roundTrip(performance.now() - sent, message.at);
    } else if (message.type === "host") this.#events.host(message);
    else if (message.type === "metrics") this.#events.metrics(message.samples);
    else if (message.type === "log") this.#events.log(message);
    else if (message.type === "kept") this.#answered?.(true);
    else if (message.type === "gone") this.#down(true);
    else throw new SkyError(message.code, message.error);
  }

  #down(gone = false): void {
    if (this.#timer === undefined) return;
    this.#answered?.(false);
    this.dispose();
    this.#events.down(gone);
  }
}
