import { Worker } from "node:worker_threads";
import { Carrier, type CarrierEvents, type CarrierOptions } from "../carrier.ts";
import type { FromSlots, ThreadData, ToSlots } from "../messages.ts";
import { ThreadShare, WORDS } from "./thread-share.ts";

/** One executor thread. */
export class Thread extends Carrier {
  readonly kind = "thread";
  readonly share: ThreadShare;
  readonly #worker: Worker;

  constructor(file: string, { slots, allowed, base, single, info }: CarrierOptions, events: CarrierEvents) {
    super(base, WORDS);
    this.share = new ThreadShare(slots);
    this.share.allowed = allowed;
    const workerData: ThreadData = { shared: this.share.buffer, slots, single, info };
    this.#worker = new Worker(file, { workerData, stdout: true, stderr: true });
    this.#worker.stdout.resume();
    this.#worker.stderr.resume();
    let failure: Error | undefined;
    this.#worker.on("message", (message: FromSlots) => events.message(this, message));
    this.#worker.on("error", (error) => (failure = error));
    this.#worker.on("exit", (code) =>
      events.exit(this, failure ? `ended: ${failure.message}` : `ended with code ${code}`),
    );
  }

  post(message: ToSlots, transfer?: readonly ArrayBuffer[]): void {
    this.#worker.postMessage(message, transfer);
  }

  terminate(): Promise<unknown> {
    return this.#worker.terminate();
  }
}
