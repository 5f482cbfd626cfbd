import type { CommandContext } from "@stricli/core";
import { upgrade } from "../../client/request.ts";
import { findPool } from "../../client/running.ts";
import { frame, onFrames } from "../../pool/endpoint/shell-frames.ts";
import { telling } from "./fail.ts";

export async function sshCommand(this: CommandContext, _flags: object, name?: string, rank?: number): Promise<void> {
  await telling("ssh", async () => {
    const pool = await findPool(name);
    const columns = process.stdout.columns || 80;
    const rows = process.stdout.rows || 24;
    const { socket, head } = await upgrade(pool.socket, { target: rank ?? "head", columns, rows });
    const terminal = process.stdin.isTTY ? process.stdin : undefined;
    const resize = (): void =>
      void socket.write(frame(1, Buffer.from(`${process.stdout.columns} ${process.stdout.rows}`)));
    terminal?.setRawMode(true);
    process.stdout.on("resize", resize);
    process.stdin.on("data", (chunk: Buffer) => socket.write(frame(0, chunk)));
    const code = new Promise<number>((resolve) => {
      onFrames(socket, (kind, bytes) => {
        if (kind === 0) process.stdout.write(bytes);
        else resolve(Number(bytes.toString()));
      });
      socket.once("close", () => resolve(255)).once("error", () => resolve(255));
    });
    if (head.length > 0) socket.unshift(head);
    try {
      process.exitCode = await code;
    } finally {
      terminal?.setRawMode(false);
      process.stdin.destroy();
      process.stdout.off("resize", resize);
      socket.destroy();
    }
  });
}
