/** Lines that a session keeps for a link that is away. */
const AWAY_MAX_BYTES = 8 * 1024 * 1024;
/** All that may be on its way over a link that is up, before lines are left out: results never are. */
const UP_MAX_BYTES = 64 * 1024 * 1024;

/** What is known of the way to the controller; `Session` is one. */
export interface Way {
  readonly up: boolean;
  readonly inFlightBytes: number;
}

/** Bounds what lines may hold of this process's memory: those past the bound are counted, and that is told. */
export class LineLimit {
  #heldBytes = 0;
  #dropped = 0;

  /** Whether a line of so many bytes may be sent or kept. */
  keeps({ up, inFlightBytes }: Way, bytes: number): boolean {
    const full = up ? inFlightBytes > UP_MAX_BYTES : this.#heldBytes + bytes > AWAY_MAX_BYTES;
    if (full) this.#dropped++;
    else if (!up) this.#heldBytes += bytes;
    return !full;
  }

  /** The link is back: what to say of lines that are gone, if any are. */
  told(): string | undefined {
    const dropped = this.#dropped;
    this.#heldBytes = 0;
    this.#dropped = 0;
    if (dropped === 0) return undefined;
    return `${dropped} ${dropped === 1 ? "line was" : "lines were"} dropped: the link could not take them`;
  }
}
