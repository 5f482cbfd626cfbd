import { Duplex } from "node:stream";
import type * as sky from "skyward";
import { random } from "../support/random.ts";
import { wrapMachines } from "../support/wrap-machines.ts";

/** A stream that ends after so many bytes, in the middle of whatever passes then. */
class Brittle extends Duplex {
  readonly #inner: Duplex;
  #left: number;

  constructor(inner: Duplex, bytes: number) {
    super({ allowHalfOpen: false });
    this.#inner = inner;
    this.#left = bytes;
    inner.on("data", (chunk: Buffer) => {
      const part = this.#spend(chunk);
      if (part.length > 0 && !this.push(part)) inner.pause();
      if (this.#left <= 0) this.destroy();
    });
    inner.on("end", () => this.push(null));
    inner.on("close", () => {
      if (!inner.readableEnded) this.destroy();
    });
    inner.on("error", (error) => this.destroy(error));
    this.on("error", () => undefined);
  }

  override _read(): void {
    this.#inner.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    const part = this.#spend(chunk);
    if (part.length === chunk.length) return void this.#inner.write(part, done);
    this.#inner.write(part, () => this.destroy());
    done();
  }

  override _final(done: () => void): void {
    this.#inner.end();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#inner.destroy();
    done(error);
  }

  #spend(chunk: Buffer): Buffer {
    const part = chunk.subarray(0, Math.max(0, this.#left));
    this.#left -= chunk.length;
    return part;
  }
}

export interface Cuts {
  readonly provider: sky.Provider;
  /** How many links of each kind were cut while they stood. */
  readonly counts: { control: number; data: number; bulk: number };
  /** Links that were opened. */
  readonly opened: () => number;
  /** Begins; before, links stand as long as they like. */
  start(): void;
  stop(): void;
}

/** Patient cuts that come in a row before all links stand. */
const RASH_MAX = 2;

export interface CutOptions {
  readonly seed: number;
  /** A cut comes after 0 to 2 times this. */
  readonly everyMs: number;
  /** Besides, a data link breaks after 0 to 2 times so many bytes. @default never */
  readonly everyBytes?: number;
  /** In place of the destruction of a link, one time in ten. */
  readonly other?: () => void;
  /** Most cuts wait until all links stand. @default false */
  readonly patient?: boolean;
}

/** A provider whose links are destroyed at random moments, and at random bytes. */
export function cutting(inner: sky.Provider, { seed, everyMs, everyBytes, other, patient }: CutOptions): Cuts {
  const next = random(seed);
  const open = new Map<Duplex, "control" | "data" | "bulk">();
  const counts = { control: 0, data: 0, bulk: 0 };
  let opened = 0;
  let links = 0;
  let timer: NodeJS.Timeout | undefined;
  let active = false;
  let rash = 0;
  const cut = (): void => {
    // Where mending takes longer than a cut, most wait for it: else no node would ever be whole, on a busy machine least of all.
    const whole = [...open.values()].filter((kind) => kind !== "bulk").length === links;
    if (whole) rash = 0;
    if (patient && !whole && (rash === RASH_MAX || next() < 0.7)) {
      timer = setTimeout(cut, everyMs);
      return;
    }
    if (!whole) rash++;
    if (other && next() < 0.1) other();
    else {
      const streams = [...open.keys()];
      streams[Math.floor(next() * streams.length)]?.destroy();
    }
    timer = setTimeout(cut, next() * 2 * everyMs);
  };
  const provider = wrapMachines(inner, (machine) => {
    links += 2;
    return {
      connect: async (kind, key, connectSignal) => {
        const raw = await machine.connect(kind, key, connectSignal);
        const brittle = active && kind !== "control" && everyBytes !== undefined && next() < 0.5;
        // A bulk link is there for bytes: it passes more of them.
        const most = (everyBytes ?? 0) * (kind === "bulk" ? 10 : 1);
        const stream = brittle ? new Brittle(raw, next() * 2 * most) : raw;
        opened++;
        open.set(stream, kind);
        stream.once("close", () => {
          open.delete(stream);
          if (active) counts[kind]++;
        });
        return stream;
      },
    };
  });
  return {
    provider,
    counts,
    opened: () => opened,
    start: () => {
      active = true;
      cut();
    },
    stop: () => {
      active = false;
      clearTimeout(timer);
    },
  };
}
