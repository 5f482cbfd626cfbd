import type { Duplex } from "node:stream";
import type { Tail } from "../../agent/tail.ts";
import { SkyError } from "../../errors/sky-error.ts";

/** What rc files of a login shell may print before. */
const NOISE_MAX_BYTES = 64 * 1024;

export interface AttachedSource {
  readonly stream: Duplex;
  readonly stderr: Tail;
  /** The line behind which the link begins. */
  readonly line: string;
  readonly name: string;
  readonly signal: AbortSignal;
}

/**
 * Reads a session's output up to the line that says that the link begins.
 * @throws SkyError SKY_LINK_LOST with the session's last lines, retryable
 */
export function awaitAttached({ stream, stderr, line, name, signal }: AttachedSource): Promise<void> {
  const mark = Buffer.from(`${line}\n`);
  return new Promise((resolve, reject) => {
    let held: Buffer = Buffer.alloc(0);
    const settle = (error?: Error): void => {
      stream.off("readable", read).off("close", closed);
      signal.removeEventListener("abort", abort);
      if (error === undefined) return resolve();
      stream.destroy();
      reject(error);
    };
    const lost = (what: string): void => {
      const words = stderr.toString().trim();
      const message = `${name}: the link could not be attached: ${words === "" ? what : words}`;
      settle(new SkyError("SKY_LINK_LOST", message, { retryable: true, details: { machine: name } }));
    };
    // Not by "data" events: the next reader's listener must be what makes the stream flow.
    const read = (): void => {
      for (let chunk = stream.read() as Buffer | null; chunk !== null; chunk = stream.read() as Buffer | null) {
        held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
        const start = held.indexOf(mark);
        if (start !== -1) {
          settle();
          const rest = held.subarray(start + mark.length);
          if (rest.length > 0) stream.unshift(rest);
          return;
        }
        if (held.length > NOISE_MAX_BYTES) return lost("the session prints without end");
      }
    };
    const closed = (): void => lost(held.toString().trim().slice(-1024) || "the session ended");
    const abort = (): void => settle(signal.reason as Error);
    if (signal.aborted) return abort();
    signal.addEventListener("abort", abort, { once: true });
    stream.on("readable", read).once("close", closed);
  });
}
