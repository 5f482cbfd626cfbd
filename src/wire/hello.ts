import type { Duplex } from "node:stream";
import { SkyError } from "../errors/sky-error.ts";

/** Reads one line of a stream that nobody reads yet, and what came with it. */
export function readLine(
  stream: Duplex,
  maxBytes: number,
  timeoutMs: number,
  leftover?: Buffer,
): Promise<{ line: string; rest: Buffer }> {
  return new Promise((resolve, reject) => {
    let data: Buffer = leftover ?? Buffer.alloc(0);
    const timer = setTimeout(
      () => done(new SkyError("SKY_LINK_LOST", "the peer did not answer in time", { retryable: true })),
      timeoutMs,
    );
    const look = (): boolean => {
      const end = data.indexOf(10);
      if (end >= 0) done(undefined, end);
      else if (data.length > maxBytes)
        done(new SkyError("SKY_WIRE_MALFORMED", `the peer's first line is longer than ${maxBytes} bytes`));
      else return false;
      return true;
    };
    const onData = (chunk: Buffer): void => {
      data = data.length === 0 ? chunk : Buffer.concat([data, chunk]);
      look();
    };
    const onClose = (): void => done(new SkyError("SKY_LINK_LOST", "the peer closed the link", { retryable: true }));
    const onError = (cause: Error): void =>
      done(new SkyError("SKY_LINK_LOST", `the link failed: ${cause.message}`, { cause, retryable: true }));
    const done = (error: SkyError | undefined, end = 0): void => {
      clearTimeout(timer);
      stream.off("data", onData);
      stream.off("close", onClose);
      stream.off("end", onClose);
      stream.off("error", onError);
      if (error) return reject(error);
      stream.pause();
      resolve({ line: data.toString("utf8", 0, end), rest: data.subarray(end + 1) });
    };
    stream.on("close", onClose);
    stream.on("end", onClose);
    stream.on("error", onError);
    if (leftover && look()) return;
    if (stream.destroyed || stream.readableEnded) return onClose();
    stream.on("data", onData);
    // After an earlier line it stands still.
    if (stream.isPaused()) stream.resume();
  });
}
