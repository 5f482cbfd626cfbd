import { spawn } from "node:child_process";
import { Duplex } from "node:stream";
import { SkyError } from "../errors/sky-error.ts";
import { quote } from "../image/quote.ts";
import { SshConnection, type SshOptions } from "./connection.ts";
import { type SshTarget, targetName } from "./target.ts";

type Way = NonNullable<SshOptions["way"]>;

/** Through the sshd of another host. It throws what that host failed with; SKY_SSH_CONNECT where it lets nobody through. */
export function throughHost(options: SshOptions): Way {
  return (target, signal) => jump(options, target, signal);
}

/** Through a command of this computer, its stdin and stdout, with OpenSSH's %h, %p, %r and %n. */
export function throughCommand(command: string): Way {
  return async (target) => runCommand(command, target);
}

async function jump(options: SshOptions, target: SshTarget, signal: AbortSignal): Promise<Duplex> {
  const connection = await SshConnection.open(options, signal);
  try {
    const stream = await connection.forward(target.host, target.port);
    stream.once("close", () => connection.close());
    return stream;
  } catch (cause) {
    connection.close();
    throw new SkyError(
      "SKY_SSH_CONNECT",
      `${connection.name} does not let us through to ${target.host}:${target.port}: ${(cause as Error).message}`,
      {
        cause,
        hint: "Its sshd must allow it (AllowTcpForwarding), and it must reach the host by that name.",
        details: { host: targetName(target), jump: connection.name },
        retryable: true,
      },
    );
  }
}

function runCommand(command: string, target: SshTarget): Duplex {
  const values: Readonly<Record<string, string>> = {
    "%": "%",
    h: quote(target.host),
    n: quote(target.host),
    p: String(target.port),
    r: quote(target.user),
  };
  const text = command.replaceAll(/%([%hnpr])/g, (_, letter: string) => values[letter]!);
  const child = spawn("sh", ["-c", `exec ${text}`], { stdio: ["pipe", "pipe", "pipe"] });
  const stream = new Duplex({
    allowHalfOpen: false,
    read: () => void child.stdout.resume(),
    // A pipe that broke shows as the command's end, with a better reason.
    write: (chunk: Buffer, _encoding, done) => void child.stdin.write(chunk, () => done()),
    destroy: (error, done) => {
      child.kill();
      done(error);
    },
  });
  let said = "";
  let came = false;
  child.stderr.on("data", (chunk: Buffer) => (said = (said + chunk.toString()).slice(-1024)));
  child.stdout.on("data", (chunk: Buffer) => {
    came = true;
    if (!stream.push(chunk)) child.stdout.pause();
  });
  child.stdin.on("error", () => undefined);
  child.once("error", (error) => stream.destroy(error));
  // Not at the end of its output: what it failed with comes behind.
  child.once("close", (code) => {
    const words = said.trim() === "" ? `exit code ${code}` : said.trim();
    if (came && (code === 0 || code === null)) stream.push(null);
    else stream.destroy(new Error(`ProxyCommand failed: ${words}`));
  });
  // The connection tells of it.
  stream.on("error", () => undefined);
  return stream;
}
