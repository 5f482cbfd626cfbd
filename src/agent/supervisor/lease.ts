import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";

/** A node with a running task outlives its controller's silence for so long. */
const BUSY_MS = 4 * 3600_000;
const LONGEST_LOOK_MS = 5000;
const SHORTEST_LOOK_MS = 100;

export interface LeaseOptions {
  /** How long the node may be without a control link while nothing runs, in ms; 0: for ever. */
  readonly graceMs: number;
  /** How long it may hear nothing on the link it has. */
  readonly silenceMs: number;
  /** Where the machine looks for the second of its uptime at which it ends. */
  readonly file?: string | undefined;
  /** ms that the machine is up, suspends included: never a clock that can be set. */
  readonly uptimeMs?: () => number;
  readonly over: (why: string) => void;
}

/** The right of a node to live, renewed by every sign of life of its controller, and by work while there is some. */
export class Lease implements Disposable {
  readonly #options: LeaseOptions;
  readonly #uptimeMs: () => number;
  readonly #timer: NodeJS.Timeout;
  /** When the controller was last heard of, or the last task ended. */
  #renewed: number;
  #busySince: number | undefined;
  #held = false;
  /** What the last controller gave, until the next one is there. */
  #keptMs: number | undefined;
  /** Somebody, an earlier agent perhaps, wrote when the machine ends. */
  #mayEnd = true;

  constructor(options: LeaseOptions) {
    this.#options = options;
    this.#uptimeMs = options.uptimeMs ?? uptimeMs;
    this.#renewed = this.#uptimeMs();
    const shortest = Math.min(options.graceMs || Infinity, options.silenceMs || Infinity);
    const lookMs = Math.min(LONGEST_LOOK_MS, Math.max(SHORTEST_LOOK_MS, shortest / 8));
    this.#timer = setInterval(() => this.#look(), lookMs);
    this.#look();
  }

  /** The controller said something. */
  renew(): void {
    this.#renewed = this.#uptimeMs();
  }

  /** There is a control link, or there is no more. */
  held(held: boolean): void {
    this.#held = held;
    if (held) this.#keptMs = undefined;
    this.renew();
  }

  /** The controller leaves, nothing runs, and another controller may come within this time. */
  keep(ms: number): void {
    this.#held = false;
    this.#keptMs = ms;
    this.#busySince = undefined;
    this.renew();
    this.#look();
  }

  /** Tasks run, or no more do: then the controller has the whole time again to come back for what they gave. */
  busy(busy: boolean): void {
    if (busy) this.#busySince ??= this.#uptimeMs();
    else if (this.#busySince !== undefined) {
      this.#busySince = undefined;
      this.renew();
    }
  }

  /** The node is ending because nobody wants it: its machine need not wait. */
  end(): void {
    this[Symbol.dispose]();
    this.#write(0);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const now = this.#uptimeMs();
    const { graceMs, silenceMs, over } = this.#options;
    const limitMs = this.#held ? silenceMs : (this.#keptMs ?? graceMs);
    if (limitMs === 0) return this.#lift();
    const silentMs = now - this.#renewed;
    const worksOn = this.#busySince !== undefined && now - Math.max(this.#busySince, this.#renewed) < BUSY_MS;
    if (silentMs >= limitMs && !worksOn) return over(`no word of its controller for ${Math.round(silentMs)} ms`);
    // Should this process stand still or die, the machine ends with the time that is left now.
    this.#write(Math.ceil((worksOn ? now + limitMs : this.#renewed + limitMs) / 1000) + 1);
  }

  /** There is no end any more. */
  #lift(): void {
    const { file } = this.#options;
    if (file === undefined || !this.#mayEnd) return;
    this.#mayEnd = false;
    rmSync(file, { force: true });
  }

  #write(endS: number): void {
    const { file } = this.#options;
    if (file === undefined) return;
    this.#mayEnd = true;
    try {
      writeFileSync(`${file}.next`, `${endS}\n`);
      renameSync(`${file}.next`, file);
    } catch {
      // A machine whose disk is full ends in time, as if the agent were gone.
    }
  }
}

function uptimeMs(): number {
  try {
    return Number(readFileSync("/proc/uptime", "latin1").split(" ")[0]) * 1000;
  } catch {
    return performance.now();
  }
}
