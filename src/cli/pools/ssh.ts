import type { CommandContext } from "@stricli/core";
import { upgrade } from "../../client/request.ts";
import { findPool } from "../../client/running.ts";
import type { ShellRequest } from "../../pool/endpoint/remote-shell.ts";
import { FRAME, frame, onFrames, sendFrames } from "../../pool/endpoint/shell-frames.ts";
import { telling } from "./fail.ts";

/** No code came. */
const GONE = -1;

export async function sshCommand(this: CommandContext, _flags: object, name?: string, rank?: number): Promise<void> {
  await telling("ssh", async () => {
    const pool = await findPool(name);
    const terminal = process.stdin.isTTY ? process.stdin : undefined;
    const size = {
      columns: process.stdout.columns || 80,
      rows: process.stdout.rows || 24,
      term: process.env["TERM"] ?? "xterm-256color",
    };
    const asked: ShellRequest = { target: rank ?? "head", ...(terminal && { size }) };
    const { socket, head } = await upgrade(pool.socket, asked);
    const resize = (): void => {
      const { columns, rows } = process.stdout;
      socket.write(frame(FRAME.number, Buffer.from(`${columns} ${rows}`)));
    };
    terminal?.setRawMode(true);
    if (terminal !== undefined) process.stdout.on("resize", resize);
    sendFrames(process.stdin, FRAME.bytes, socket);
    process.stdin.once("end", () => socket.write(frame(FRAME.end, Buffer.alloc(0))));
    const code = new Promise<number>((resolve) => {
      onFrames(socket, (kind, bytes) => {
        if (kind === FRAME.bytes) process.stdout.write(bytes);
        else if (kind === FRAME.stderr) process.stderr.write(bytes);
        else resolve(Number(bytes.toString()));
      });
      socket
        .once("error", () => undefined)
        .once("close", () => {
          resolve(GONE);
        });
    });
    if (head.length > 0) socket.unshift(head);
    try {
      const ended = await code;
      if (ended === GONE) process.stderr.write("\r\nsky ssh: the pool's program has ended\r\n");
      process.exitCode = ended === GONE ? 255 : ended;
    } finally {
      terminal?.setRawMode(false);
      process.stdin.destroy();
      process.stdout.off("resize", resize);
      socket.destroy();
    }
  });
}
