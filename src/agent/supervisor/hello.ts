import type { Socket } from "node:net";
import { PROTOCOL_VERSION } from "../../wire/ops.ts";
import { type Hello, HELLO_MAX_BYTES, type Refusal } from "../control.ts";

/** A connection that says nothing for so long is closed. */
const HELLO_TIMEOUT_MS = 10_000;
const NEWLINE = 10;

export interface FirstLine {
  readonly line: string;
  /** What came in behind the line already. */
  readonly leftover: Buffer;
}

/** Reads the first line of a connection and stops reading behind it; a refusal when there is none to be had. */
export function readFirstLine(socket: Socket): Promise<FirstLine | Refusal> {
  return new Promise((resolve) => {
    let held: Buffer = Buffer.alloc(0);
    const timer = setTimeout(() => settle(late("no first line came in time")), HELLO_TIMEOUT_MS);
    const settle = (result: FirstLine | Refusal): void => {
      clearTimeout(timer);
      socket.off("data", read).off("close", closed);
      resolve(result);
    };
    const closed = (): void => settle(late("the connection ended before its first line"));
    const read = (chunk: Buffer): void => {
      held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
      const end = held.indexOf(NEWLINE);
      if (end === -1 ? held.length < HELLO_MAX_BYTES : end < HELLO_MAX_BYTES) {
        if (end === -1) return;
        stopReading(socket);
        settle({ line: held.toString("utf8", 0, end), leftover: held.subarray(end + 1) });
      } else settle(malformed(`the first line is longer than ${HELLO_MAX_BYTES} bytes`));
    };
    socket.on("data", read).on("close", closed);
  });
}

/**
 * `pause()` alone lets the kernel's next bytes be read into a buffer that is not passed on with the socket. A client
 * sends nothing before its answer, so this is for clients that do.
 */
export function stopReading(socket: Socket): void {
  socket.pause();
  const handle = (socket as unknown as { _handle?: { reading: boolean; readStop(): void } })._handle;
  if (handle === undefined || handle === null) return;
  handle.readStop();
  // What `pause()` does where it can; `resume()` goes by it.
  handle.reading = false;
}

export function parseHello(line: string): Hello | Refusal {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return malformed("the first line is not JSON");
  }
  if (typeof value !== "object" || value === null) return malformed("the first line is not an object");
  const { v, token, epoch, kind, pid, link } = value as Partial<Record<keyof Hello, unknown>>;
  if (v !== PROTOCOL_VERSION) {
    const error = `this agent speaks version ${PROTOCOL_VERSION} of the protocol, the controller version ${JSON.stringify(v)}`;
    return { ok: false, code: "SKY_WIRE_VERSION", error };
  }
  if (typeof token !== "string" || !Number.isSafeInteger(epoch) || (epoch as number) < 0) {
    return malformed("the first line has no token or no epoch");
  }
  const common = { v: PROTOCOL_VERSION, token, epoch: epoch as number };
  if (kind === "control" || kind === "data" || kind === "bulk") return { ...common, kind };
  if (kind === "adopt" && Number.isSafeInteger(pid) && (pid as number) > 0)
    return { ...common, kind, pid: pid as number, link: link === "bulk" ? "bulk" : "data" };
  return malformed("the first line names no kind of link");
}

export function sameToken(one: string, other: string): boolean {
  // Loaded with the first link: it would cost each agent 3 ms before its host is started.
  const { timingSafeEqual } = process.getBuiltinModule("node:crypto");
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}

export function malformed(error: string): Refusal {
  return { ok: false, code: "SKY_WIRE_MALFORMED", error };
}

/** Nothing wrong was said: the way here was too slow, or broke. */
function late(error: string): Refusal {
  return { ok: false, code: "SKY_LINK_LOST", error, retryable: true };
}
