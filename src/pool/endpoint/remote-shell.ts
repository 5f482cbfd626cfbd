import type { Duplex } from "node:stream";
import type { Place } from "../access/exec.ts";
import { openShell } from "../access/shell.ts";
import { FRAME, frame, onFrames, sendFrames } from "./shell-frames.ts";

/** What a client asks for when it wants a shell; the frames of both sides follow. */
export interface ShellRequest {
  readonly target: "head" | number;
  /** Of its terminal; left out where it has none: then the shell reads commands from its stdin. */
  readonly size?: { readonly columns: number; readonly rows: number; readonly term: string };
}

/** A shell on a node for a client at the other end of a socket, until one of them ends. */
export async function serveShell(socket: Duplex, place: Place, { size }: ShellRequest): Promise<void> {
  const running = await openShell(place, size === undefined ? { terminal: false } : size);
  socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: shell\r\n\r\n");
  const kill = (): void => running.kill();
  socket.once("close", kill);
  place.closed.addEventListener("abort", kill, { once: true });
  running.stdin.on("error", () => undefined);
  onFrames(socket, (kind, bytes) => {
    if (kind === FRAME.bytes) {
      if (running.stdin.write(bytes)) return;
      socket.pause();
      running.stdin.once("drain", () => socket.resume());
    } else if (kind === FRAME.end) running.stdin.end();
    else {
      const [columns = 80, rows = 24] = bytes.toString().split(" ").map(Number);
      running.resize(columns, rows);
    }
  });
  sendFrames(running.stdout, FRAME.bytes, socket);
  sendFrames(running.stderr, size === undefined ? FRAME.stderr : FRAME.bytes, socket);
  const { code, signal } = await running.exit;
  place.closed.removeEventListener("abort", kill);
  if (place.closed.aborted) socket.write(frame(FRAME.stderr, Buffer.from("\r\nsky ssh: the pool was closed\r\n")));
  else if (code === null && signal === null)
    socket.write(frame(FRAME.stderr, Buffer.from(`\r\nsky ssh: node ${place.node} is out of reach\r\n`)));
  socket.end(frame(FRAME.number, Buffer.from(String(code ?? 255))));
}
