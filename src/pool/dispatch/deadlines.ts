import { SkyError } from "../../errors/sky-error.ts";
import { type Segment, State } from "./segment.ts";
import type { SegmentTable } from "./segment-table.ts";

/** Tasks waiting longer than their `queueTimeout` are looked for this often. */
const LOOK_MS = 20;

/** Finds queued tasks whose `queueTimeout` has passed: one timer, while there are any. */
export class Deadlines {
  readonly #segments: SegmentTable;
  readonly #now: () => number;
  readonly #expired: (segment: Segment, index: number, error: SkyError) => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    segments: SegmentTable,
    now: () => number,
    expired: (segment: Segment, index: number, error: SkyError) => void,
  ) {
    this.#segments = segments;
    this.#now = now;
    this.#expired = expired;
  }

  watch(segment: Segment): void {
    if (segment.queueTimeoutMs > 0) this.#timer ??= setInterval(this.#look, LOOK_MS);
  }

  dispose(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #look = (): void => {
    const now = this.#now();
    let watching = false;
    for (const segment of this.#segments) {
      if (segment.queueTimeoutMs === 0) continue;
      watching = true;
      if (now - segment.queuedAt < segment.queueTimeoutMs) continue;
      for (let index = 0; index < segment.count; index++) {
        // A task that had its slot, and lost it with its node, waits for no first one.
        if (segment.state(index) === State.QUEUED && segment.attempt(index) === 0)
          this.#expired(segment, index, error(segment, index));
      }
    }
    if (!watching) this.dispose();
  };
}

function error(segment: Segment, index: number): SkyError {
  const limitMs = segment.queueTimeoutMs;
  return new SkyError(
    "SKY_QUEUE_TIMEOUT",
    `${segment.bind.name} waited longer than its queueTimeout of ${limitMs / 1000} s for a slot`,
    {
      details: { limit: "queueTimeout", limitMs, task: `t${segment.first + index}` },
    },
  );
}
