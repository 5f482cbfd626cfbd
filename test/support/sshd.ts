import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";

export interface SshdOptions {
  /** Set in every session, over what the account has: a HOME of its own, a PATH without Node. */
  readonly env?: Readonly<Record<string, string>>;
  /** Type of the host key. @default "ed25519" */
  readonly hostKeyType?: "ed25519" | "ecdsa" | "rsa";
  /** Lines for sshd_config. */
  readonly config?: readonly string[];
}

/**
 * A real sshd on 127.0.0.1 with keys of its own, for the account that runs the tests. Needs openssh-server; run as
 * root it needs no account to be unlocked but root's.
 */
export class Sshd implements AsyncDisposable {
  readonly port: number;
  /** Holds everything of this server; removed with it. */
  readonly dir: string;
  readonly user = userInfo().username;
  #process: ChildProcess | undefined;

  private constructor(port: number, dir: string) {
    this.port = port;
    this.dir = dir;
  }

  static async start({ env = {}, hostKeyType = "ed25519", config = [] }: SshdOptions = {}): Promise<Sshd> {
    const server = new Sshd(await freePort(), mkdtempSync(join(tmpdir(), "sshd-")));
    const { dir } = server;
    for (const [name, type] of [
      ["host_key", hostKeyType],
      ["client_key", "ed25519"],
    ] as const) {
      execFileSync("ssh-keygen", ["-q", "-t", type, "-N", "", "-C", "", "-f", join(dir, name)]);
    }
    writeFileSync(join(dir, "authorized_keys"), readFileSync(join(dir, "client_key.pub")), { mode: 0o600 });
    const setEnv = Object.entries(env).map(([name, value]) => `"${name}=${value}"`);
    // Of two lines for one setting the first counts.
    const lines = [
      ...config,
      `Port ${server.port}`,
      "ListenAddress 127.0.0.1",
      `HostKey ${dir}/host_key`,
      `AuthorizedKeysFile ${dir}/authorized_keys`,
      "PidFile none",
      "UsePAM no",
      "StrictModes no",
      "PasswordAuthentication no",
      "PermitRootLogin prohibit-password",
      "PrintMotd no",
      "MaxStartups 200",
      "MaxSessions 200",
      ...(setEnv.length > 0 ? [`SetEnv ${setEnv.join(" ")}`] : []),
    ];
    writeFileSync(join(dir, "sshd_config"), `${lines.join("\n")}\n`);
    writeFileSync(server.knownHosts, server.knownHostsLine());
    await server.restart();
    return server;
  }

  get target(): string {
    return `${this.user}@127.0.0.1:${this.port}`;
  }

  get key(): string {
    return join(this.dir, "client_key");
  }

  /** A file with this server's key; tests that spoil it write it anew. */
  get knownHosts(): string {
    return join(this.dir, "known_hosts");
  }

  get hostKey(): { readonly type: string; readonly base64: string } {
    const [type = "", base64 = ""] = readFileSync(join(this.dir, "host_key.pub"), "utf8").split(" ");
    return { type, base64: base64.trim() };
  }

  knownHostsLine(): string {
    const { type, base64 } = this.hostKey;
    return `[127.0.0.1]:${this.port} ${type} ${base64}\n`;
  }

  /** What the server wrote to its log. */
  get log(): string {
    return readFileSync(join(this.dir, "log"), "utf8");
  }

  /** Starts it, or starts it again after `kill`, on the same port with the same keys. */
  async restart(): Promise<void> {
    if (process.getuid?.() === 0 && !existsSync("/run/sshd")) mkdirSync("/run/sshd", { mode: 0o755 });
    const sshd = spawn("/usr/sbin/sshd", ["-D", "-f", join(this.dir, "sshd_config"), "-E", join(this.dir, "log")], {
      stdio: "ignore",
    });
    this.#process = sshd;
    const failed = once(sshd, "exit").then(([code]) => {
      throw new Error(
        `sshd ended with code ${String(code)}: ${existsSync(join(this.dir, "log")) ? this.log : "no log"}`,
      );
    });
    failed.catch(() => undefined);
    await Promise.race([failed, this.#answers()]);
  }

  /** Kills the server with all its sessions' connections, as a crash of the machine's sshd would. */
  async kill(): Promise<void> {
    const sshd = this.#process;
    if (sshd === undefined) return;
    this.#process = undefined;
    const connections = childrenOf(sshd.pid!);
    const exited = once(sshd, "exit");
    sshd.kill("SIGKILL");
    await exited;
    killAll(connections);
  }

  /** Cuts all connections; the server goes on. */
  dropConnections(): void {
    if (this.#process?.pid !== undefined) killAll(childrenOf(this.#process.pid));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    rmSync(this.dir, { recursive: true, force: true });
  }

  async #answers(): Promise<void> {
    for (;;) {
      const socket = connect(this.port, "127.0.0.1");
      try {
        await once(socket, "data");
        return;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 10));
      } finally {
        socket.destroy();
      }
    }
  }
}

/** A connection is a privileged process, and for a user that is not root a second one below it. */
function childrenOf(pid: number): number[] {
  const children = readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "latin1");
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return Number(fields[1]) === pid && stat.includes("(sshd") ? [Number(name)] : [];
    } catch {
      return [];
    }
  });
  return children.flatMap((child) => [child, ...childrenOf(child)]);
}

function killAll(pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It ended by itself.
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
