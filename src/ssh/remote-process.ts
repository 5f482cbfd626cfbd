import { randomBytes } from "node:crypto";
import { PassThrough, type Readable, type Writable } from "node:stream";
import type { ClientChannel } from "ssh2";
import { COMMAND_MARKER } from "../agent/process-tree.ts";
import { behindMark } from "./behind-mark.ts";
import type { SshConnection } from "./connection.ts";
import { scriptCommand } from "./shell.ts";

interface RemoteProcess {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly exit: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  resize(columns: number, rows: number): void;
  kill(): void;
}

interface Script {
  readonly script: string;
  readonly pty?: { readonly columns: number; readonly rows: number; readonly term: string };
}

/** What runs in a session of its own. */
export function remoteProcess(channel: ClientChannel, connection: SshConnection): RemoteProcess {
  const exit = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    let end: { code: number | null; signal: string | null } = { code: null, signal: null };
    channel.once("exit", (code: number | null, signal?: string) => (end = { code, signal: signal ?? null }));
    channel.once("close", () => resolve(end));
    void connection.closed.then(() => resolve(end));
  });
  channel.on("error", () => undefined);
  return {
    stdin: channel,
    stdout: channel,
    stderr: channel.stderr,
    exit,
    resize: (columns, rows) => channel.setWindow(rows, columns, 0, 0),
    // Its stdin ends, and with it what reads from there.
    kill: () => void channel.close(),
  };
}

/** A command in a session of its own, without what the login shell prints before. */
export async function remoteCommand(connection: SshConnection, command: string): Promise<RemoteProcess> {
  const mark = randomBytes(8).toString("hex");
  const channel = await connection.exec(`echo ${mark}; ${command}`);
  return { ...remoteProcess(channel, connection), stdout: behindMark(channel, mark) };
}

/**
 * A script for `sh`: it comes on stdin, so that it shows in no list of processes, and what follows it is left there.
 * @param dir the run directory of the agent that it runs beside, and ends with
 */
export async function remoteScript(
  connection: SshConnection,
  { script, pty }: Script,
  dir: string,
): Promise<RemoteProcess> {
  const id = randomBytes(8).toString("hex");
  const mark = `${COMMAND_MARKER}=${dir}:${id}`;
  // sshd signals no process of root's, so those that bear the mark are found on the machine.
  const kill = (channel: ClientChannel) => () => {
    void connection.run(scriptCommand(killer(mark)), killer(mark)).then(
      () => channel.close(),
      () => undefined,
    );
  };
  if (pty === undefined) {
    const marked = `echo ${id}\n${script}`;
    const channel = await connection.exec(scriptCommand(marked, mark));
    channel.write(marked);
    return { ...remoteProcess(channel, connection), stdout: behindMark(channel, id), kill: kill(channel) };
  }
  const sane = `stty sane\n${script}`;
  const { columns: cols, rows, term } = pty;
  // A terminal would echo the script, and cut its lines: only when it does neither is the script sent.
  const command = `stty raw -echo; echo ${id}; ${scriptCommand(sane, mark)}`;
  const channel = await connection.exec(command, { pty: { cols, rows, term } });
  const [typed, shown] = [new PassThrough(), new PassThrough()];
  let held = "";
  const look = (chunk: Buffer): void => {
    held += chunk.toString("latin1");
    const at = held.indexOf(id);
    if (at === -1) return;
    channel.off("data", look);
    channel.write(sane);
    const rest = held.slice(at + id.length).replace(/^\r?\n/, "");
    if (rest !== "") shown.write(Buffer.from(rest, "latin1"));
    channel.pipe(shown);
    typed.pipe(channel);
  };
  channel.on("data", look).once("close", () => shown.end());
  return { ...remoteProcess(channel, connection), stdin: typed, stdout: shown, kill: kill(channel) };
}

/** Again and again, until none is found: one may have started another meanwhile. */
function killer(mark: string): string {
  return `for round in 1 2 3 4 5; do
  found=
  for one in /proc/[0-9]*; do
    if tr '\\0' '\\n' < "$one/environ" 2>/dev/null | grep -qxF '${mark}'; then kill -9 "\${one#/proc/}" && found=1; fi
  done
  [ -n "$found" ] || break
done
exit 0
`;
}
