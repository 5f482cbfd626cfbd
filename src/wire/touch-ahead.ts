import { openSync, read } from "node:fs";

/** Smaller parts are here before it pays. */
export const TOUCH_MIN_BYTES = 32 * 1024 * 1024;
const SLICE_BYTES = 4 * 1024 * 1024;
/** So far it stays away from where bytes arrive, and so far it may go when none has arrived. */
const MARGIN_BYTES = 16 * 1024 * 1024;

/**
 * The first write to fresh memory takes several times as long as the copy itself. Another thread makes it, from the end of
 * a part towards the beginning, while bytes arrive from the front; never for much more than has arrived.
 */
export class TouchAhead {
  readonly #part: Uint8Array;
  /** From here on all has been touched, or is being touched. */
  #from: number;
  #busy = false;

  constructor(part: Uint8Array) {
    this.#part = part;
    this.#from = part.byteLength;
  }

  /** Bytes from here on must not be written now. */
  get limit(): number {
    return this.#busy ? this.#from : this.#part.byteLength;
  }

  /** Goes on where it may, with `at` bytes arrived; `then` runs when the limit has moved. */
  step(at: number, then: () => void): void {
    const touched = this.#part.byteLength - this.#from;
    if (this.#busy || this.#from - SLICE_BYTES < at + MARGIN_BYTES || touched > 2 * at + MARGIN_BYTES) return;
    const zeros = openZeros();
    if (zeros === undefined) return;
    this.#busy = true;
    this.#from -= SLICE_BYTES;
    read(zeros, this.#part, this.#from, SLICE_BYTES, null, () => {
      this.#busy = false;
      then();
    });
  }
}

let zeros: number | undefined;
let tried = false;

/** Undefined on systems that have no such file. */
function openZeros(): number | undefined {
  if (!tried) {
    tried = true;
    try {
      zeros = openSync("/dev/zero", "r");
    } catch {
      // Then memory is touched when its bytes arrive.
    }
  }
  return zeros;
}
