import { uptime } from "node:os";

const BEAT_MS = 1000;
/** A busy computer's timers are late too. */
const SHORTEST_MS = 3000;
/** So long before a pause a node may have heard of us last. */
const UNHEARD_MS = 4000;
/** A borrowed machine's agent leaves so long after its connection ended. */
const LONGEST_MS = 15_000;

/** The shortest pause after which a node may have gone. `ttlMs`: its lease, counted from a sign of life some time before the pause. */
export function patienceMs(ttlMs: number): number {
  return ttlMs === 0 ? LONGEST_MS : Math.min(LONGEST_MS, Math.max(SHORTEST_MS, ttlMs - UNHEARD_MS));
}

/**
 * Notices that this process, or the whole computer, did not run for a while: a closed lid, SIGSTOP, a blocked loop.
 * A clock that is set is none of these.
 */
export class Stillness {
  readonly #limitMs: number;
  readonly #over: (ms: number) => void;
  readonly #timer: NodeJS.Timeout;
  #beat = now();

  /** @param over called once after each pause of more than `limitMs`, before anything that asks by `look` */
  constructor(limitMs: number, over: (ms: number) => void) {
    this.#limitMs = limitMs;
    this.#over = over;
    // Referenced: an open pool keeps the program alive, whatever its nodes do.
    this.#timer = setInterval(() => this.#check(), BEAT_MS);
  }

  /** To be called before what must not happen in ignorance; costs two looks at a clock. */
  look(): void {
    const { steadyMs, wallMs } = this.#beat;
    const ranMs = performance.now() - steadyMs;
    // The steady clock does not run while the computer sleeps; the other one may have been set.
    if (ranMs > this.#limitMs || Math.abs(Date.now() - wallMs - ranMs) > this.#limitMs) this.#check();
  }

  dispose(): void {
    clearInterval(this.#timer);
  }

  #check(): void {
    const { upMs } = this.#beat;
    this.#beat = now();
    const ms = this.#beat.upMs - upMs;
    if (ms > this.#limitMs) this.#over(ms);
  }
}

/** `upMs` runs through sleep and is never set. */
function now(): { steadyMs: number; wallMs: number; upMs: number } {
  return { steadyMs: performance.now(), wallMs: Date.now(), upMs: uptime() * 1000 };
}
