import { fstatSync } from "node:fs";
import { connect, Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { ATTACHED } from "./attached.ts";
import { socketPath } from "./config.ts";
import { type Gone, HELLO_MAX_BYTES, type Hello, jsonLine } from "./control.ts";
import { Lines } from "./lines.ts";
import { readLine, writeLine } from "./supervisor/stdio.ts";

const SOCKET_WAIT_MS = 10_000;
const SOCKET_POLL_MS = 20;
/** A supervisor that takes a connection and keeps it for so long is there. */
const THERE_MS = 50;
const GONE: Gone = { type: "gone", ok: false, code: "SKY_LINK_LOST", error: "the agent has ended" };
const PARENT_POLL_MS = 2000;

/**
 * Makes the stdin and stdout of this process a link to the agent in `dir`: `agent attach control|data|bulk <dir>`.
 * A control link is relayed. A data or bulk link is handed over: the host opens this process's pipes and this process sleeps.
 */
export async function runAttach(kind: string | undefined, dir: string | undefined): Promise<void> {
  if ((kind !== "control" && kind !== "data" && kind !== "bulk") || dir === undefined)
    return refuse("SKY_AGENT_FAILED", "usage: attach control|data|bulk DIR");
  endWithParent();
  writeLine(1, ATTACHED);
  const line = readLine(0, HELLO_MAX_BYTES);
  if (line === undefined) return refuse("SKY_WIRE_MALFORMED", `no first line of at most ${HELLO_MAX_BYTES} bytes`);
  const socket = await reach(dir);
  const hello = kind !== "control" && hasPipes() ? parse(line) : undefined;
  if (hello === undefined) relay(socket, line, kind === "control" ? dir : undefined);
  else
    handOver(socket, { ...hello, kind: "adopt", pid: process.pid, link: kind as "data" | "bulk" }, async () =>
      relay(await reach(dir), line),
    );
}

/** @param dir tell the end of the supervisor there */
function relay(socket: Socket, line: string, dir?: string): void {
  const output = new Socket({ fd: 1, readable: false, writable: true });
  output.on("error", () => process.exit(0));
  socket.on("error", () => undefined);
  const end = (): void => void output.end(() => process.exit(0));
  socket.once("close", () => {
    if (dir === undefined || process.stdin.readableEnded) return end();
    void isThere(dir).then((there) => {
      if (!there) output.write(jsonLine(GONE));
      end();
    });
  });
  socket.write(`${line}\n`);
  process.stdin.on("error", () => process.exit(0));
  process.stdin.pipe(socket);
  socket.pipe(output, { end: false });
}

function handOver(socket: Socket, hello: Hello, fallBack: () => Promise<void>): void {
  const lines = new Lines(HELLO_MAX_BYTES);
  let relaying = false;
  socket.on("data", (chunk: Buffer) => {
    for (const line of lines.push(chunk) ?? []) {
      if (line.startsWith('{"relay"')) {
        relaying = true;
        void fallBack();
      } else writeLine(1, line);
    }
  });
  socket.on("error", () => undefined);
  socket.once("close", () => {
    if (!relaying) process.exit(0);
  });
  socket.write(jsonLine(hello));
}

async function reach(dir: string): Promise<Socket> {
  const path = socketPath(dir);
  const deadline = performance.now() + SOCKET_WAIT_MS;
  for (;;) {
    try {
      return await new Promise<Socket>((resolve, reject) => {
        const socket = connect(path, () => resolve(socket.off("error", reject))).once("error", reject);
      });
    } catch (error) {
      // It listened before anybody was told of it: where nobody does, it has ended.
      const { code } = error as NodeJS.ErrnoException;
      if (code === "ENOENT" || code === "ECONNREFUSED" || performance.now() > deadline)
        return refuse("SKY_LINK_LOST", `no agent answers at ${path}: ${String(error)}`);
    }
    await delay(SOCKET_POLL_MS);
  }
}

/** Whether a supervisor listens. One that is just ending may take a connection, and drop it. */
function isThere(dir: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath(dir));
    const settle = (there: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(there);
    };
    const timer = setTimeout(() => settle(true), THERE_MS);
    socket.once("error", () => settle(false)).once("close", () => settle(false));
  });
}

function parse(line: string): Hello | undefined {
  try {
    const value = JSON.parse(line) as Hello | null;
    return typeof value === "object" ? (value ?? undefined) : undefined;
  } catch {
    // Relayed as it is, for the supervisor to refuse.
    return undefined;
  }
}

/** Pipes can be opened a second time through /proc; sockets and files in place of them can't. */
function hasPipes(): boolean {
  return process.platform === "linux" && [0, 1].every((fd) => fstatSync(fd).isFIFO());
}

/** Whoever started this process, sshd or a shell of it, is gone: so is the other end of the link. */
function endWithParent(): void {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) process.exit(0);
  }, PARENT_POLL_MS).unref();
}

function refuse(code: string, error: string): never {
  writeLine(1, JSON.stringify({ ok: false, code, error }));
  process.exit(1);
}
