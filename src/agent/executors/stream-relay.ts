import { Mode, Op } from "../../wire/ops.ts";
import { type Place, readPlace } from "../../wire/stream/records.ts";
import type { Carrier } from "./carrier.ts";
import type { Work } from "./chunk.ts";
import type { HostBind, StreamNews } from "./messages.ts";

/** Passes what comes for the streams of tasks on to whoever runs these. */
export class StreamRelay {
  readonly #carriers: ReadonlySet<Carrier>;
  readonly #graceMs: number;
  readonly #overdue: (id: number) => void;
  /** Binds whose bodies turned out to give streams. */
  readonly #streaming = new Set<number>();
  /** Generators that were told to stop and have not come to it. */
  readonly #stopped = new Map<number, NodeJS.Timeout>();

  /** `overdue`: a generator works on its next element still, a grace after its consumer has left. */
  constructor(carriers: ReadonlySet<Carrier>, graceMs: number, overdue: (id: number) => void) {
    this.#carriers = carriers;
    this.#graceMs = graceMs;
    this.#overdue = overdue;
  }

  /** A whole record, whose bytes are given away. */
  record(record: Buffer): void {
    const place = readPlace(record, 5, record.length);
    const carrier = this.#find(place);
    if (!carrier) return;
    carrier.post({ type: "stream", record });
    if (record[0] !== Op.STOP || place.lane !== 0 || this.#stopped.has(place.id)) return;
    const late = setTimeout(() => {
      this.#stopped.delete(place.id);
      if (this.#find(place)) this.#overdue(place.id);
    }, this.#graceMs);
    this.#stopped.set(place.id, late);
  }

  element(place: Place, value: Uint8Array): void {
    this.#find(place)?.post({ type: "element", place, value });
  }

  hear(message: StreamNews): void {
    if (message.type === "streams") return void this.#streaming.add(message.bind);
    // The generator is at its `finally`, which may take its time.
    clearTimeout(this.#stopped.get(message.id));
    this.#stopped.delete(message.id);
  }

  /** A silent hour is not the end of a stream: only a limit that was asked for holds for one. */
  limitOf(bind: HostBind | undefined, { mode }: Work): number {
    if (!bind) return 0;
    return bind.limited || (mode !== Mode.STREAMS && !this.#streaming.has(bind.id)) ? bind.limitMs : 0;
  }

  unbind(id: number): void {
    this.#streaming.delete(id);
  }

  dispose(): void {
    for (const late of this.#stopped.values()) clearTimeout(late);
    this.#stopped.clear();
  }

  #find({ id, attempt }: Place): Carrier | undefined {
    for (const carrier of this.#carriers) {
      for (const chunk of carrier.chunks.values()) {
        if (chunk.work.attempt === attempt && chunk.has(id) && !chunk.isDone(id - chunk.work.first)) return carrier;
      }
    }
    return undefined;
  }
}
