import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import type { SshMachine } from "../ssh-machine.ts";
import { ssh2Client, ssh2Exec } from "./ssh2-client.ts";

export const ECHO = join(import.meta.dirname, "echo.mjs");
/** As many bytes as a small task has. */
const MESSAGE = Buffer.alloc(12, 1);

export interface RawEcho extends AsyncDisposable {
  /** Sends twelve bytes and resolves when they are back. */
  readonly trip: () => Promise<void>;
}

/** A unix socket, a process behind it, and a thread behind that. */
export async function unixEcho(): Promise<RawEcho> {
  const folder = await mkdtemp(join(tmpdir(), "skyward-echo-"));
  const path = join(folder, "s");
  const child = spawn(process.execPath, [ECHO, "unix", path], { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data");
  const socket = connect(path);
  await once(socket, "connect");
  return echoOver(socket, async () => {
    const gone = once(child, "exit");
    socket.destroy();
    await gone;
    await rm(folder, { recursive: true, force: true });
  });
}

/**
 * An exec channel of an SSH connection to this machine, a process on it, and a thread behind that.
 * @param command how the echo is started there
 */
export async function sshEcho(machine: SshMachine, command = `${process.execPath} ${ECHO}`): Promise<RawEcho> {
  const client = await ssh2Client(machine);
  return echoOver(await ssh2Exec(client, `${command} stdio`), async () => {
    const gone = once(client, "close");
    client.end();
    await gone;
  });
}

function echoOver(stream: Duplex, close: () => Promise<void>): RawEcho {
  let back: (() => void) | undefined;
  let missing = 0;
  stream.on("data", (chunk: Buffer) => {
    missing -= chunk.length;
    if (missing === 0) back?.();
  });
  return {
    trip: () =>
      new Promise((resolve) => {
        back = resolve;
        missing = MESSAGE.length;
        stream.write(MESSAGE);
      }),
    [Symbol.asyncDispose]: close,
  };
}
