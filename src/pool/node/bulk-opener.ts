import type { Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import type { DataLink } from "./data-link.ts";

const BACKOFF_MAX_MS = 2000;

/** Opens a node's bulk link when it is wanted, one at a time, and again after a cut. */
export class BulkOpener {
  readonly #connect: () => Promise<Duplex>;
  readonly #signal: AbortSignal;
  readonly #current: () => DataLink;
  #wanted = false;
  #opening = false;

  constructor(connect: () => Promise<Duplex>, signal: AbortSignal, current: () => DataLink) {
    this.#connect = connect;
    this.#signal = signal;
    this.#current = current;
  }

  open(): void {
    this.#wanted = true;
    if (this.#opening) return;
    this.#opening = true;
    void this.#try().finally(() => (this.#opening = false));
  }

  /** The host is gone, and with it all that waited. */
  forget(): void {
    this.#wanted = false;
  }

  async #try(): Promise<void> {
    for (let attempt = 0; this.#wanted && !this.#signal.aborted; attempt++) {
      const link = this.#current();
      try {
        if (link.up) {
          const stream = await this.#connect();
          if (link === this.#current()) await link.attachBulk(stream);
          else stream.destroy();
        }
      } catch {
        // The control and data links tell what is wrong with the node.
      }
      if (link === this.#current() && link.bulk.up) {
        this.#wanted = false;
        return;
      }
      const waitMs = Math.min(BACKOFF_MAX_MS, 10 * 2 ** attempt);
      await sleep(waitMs, undefined, { signal: this.#signal, ref: false }).catch(() => {});
    }
  }
}
