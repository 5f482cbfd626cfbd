import type { Duplex } from "node:stream";
import type { Client, ClientChannel, ExecOptions, ServerHostKeyAlgorithm } from "ssh2";
import { Tail } from "../agent/tail.ts";
import { SkyError } from "../errors/sky-error.ts";
import { authMethods, type Identity, whatOf } from "./identity.ts";
import { fingerprint, hostName, keyType, type KnownHosts } from "./known-hosts.ts";
import { loadSsh2 } from "./load.ts";
import { type SshTarget, targetName } from "./target.ts";

const CONNECT_TIMEOUT_MS = 20_000;
const KEEPALIVE_MS = 5000;
const KEEPALIVES_MISSED = 2;
const OUTPUT_MAX_BYTES = 64 * 1024;

export interface SshOptions {
  readonly target: SshTarget;
  readonly identities: readonly Identity[];
  readonly knownHosts: KnownHosts;
  /** Opens the way to a host behind others. @default straight to it */
  readonly way?: ((target: SshTarget, signal: AbortSignal) => Promise<Duplex>) | undefined;
  /** The name under which the host's key is on file. @default the host and port */
  readonly hostKeyAlias?: string | undefined;
}

export interface CommandResult {
  readonly code: number | null;
  /** The last 64 KiB each. */
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * One SSH connection. The host's key is verified always. Never a forward before a session: sshd turns Nagle's algorithm
 * off with the first session, and a forward without one would wait 40 ms per round trip.
 */
export class SshConnection {
  readonly name: string;
  /** Settles when the connection has ended, with the reason if it was not ours. */
  readonly closed: Promise<Error | undefined>;
  readonly #client: Client;
  #open = true;
  #hadSession: Promise<unknown> | undefined;

  private constructor(client: Client, name: string, closed: Promise<Error | undefined>) {
    this.#client = client;
    this.name = name;
    this.closed = closed;
    void closed.then(() => (this.#open = false));
  }

  /** @throws SkyError SKY_SSH_HOST_UNKNOWN, SKY_SSH_HOST_KEY, SKY_SSH_AUTH, SKY_SSH_CONNECT (the last is retryable) */
  static async open(options: SshOptions, signal: AbortSignal): Promise<SshConnection> {
    const { Client } = await loadSsh2();
    signal.throwIfAborted();
    const { target, identities, knownHosts } = options;
    const name = targetName(target);
    const place = options.hostKeyAlias === undefined ? target : { host: options.hostKeyAlias, port: 22 };
    const way = await options.way?.(target, signal);
    const client = new Client();
    let refusal: SkyError | undefined;
    let failure: Error | undefined;
    client.on("error", (error) => (failure ??= error));
    const closed = new Promise<Error | undefined>((resolve) => client.once("close", () => resolve(failure)));
    way?.once("error", (error) => (failure ??= error));
    void closed.then(() => way?.destroy());
    const abort = (): void => void client.destroy();
    signal.addEventListener("abort", abort, { once: true });
    try {
      await new Promise<void>((resolve, reject) => {
        client.once("ready", resolve);
        void closed.then(() => reject(failure ?? new Error("the host closed the connection")));
        client.connect({
          ...(way === undefined ? { host: target.host, port: target.port } : { sock: way }),
          username: target.user,
          authHandler: authMethods(identities, target.user),
          readyTimeout: CONNECT_TIMEOUT_MS,
          keepaliveInterval: KEEPALIVE_MS,
          keepaliveCountMax: KEEPALIVES_MISSED,
          algorithms: { serverHostKey: hostKeyAlgorithms(knownHosts.typesFor(place.host, place.port)) },
          hostVerifier: (key: Buffer) => {
            refusal = refusalOf(place, key, knownHosts, way !== undefined);
            return refusal === undefined;
          },
        });
        if (way === undefined) client.setNoDelay(true);
      });
    } catch (cause) {
      client.destroy();
      if (signal.aborted) throw signal.reason;
      throw refusal ?? connectError(cause as Error & { level?: string }, name, identities);
    } finally {
      signal.removeEventListener("abort", abort);
    }
    return new SshConnection(client, name, closed);
  }

  get isOpen(): boolean {
    return this.#open;
  }

  /** Starts a command in a session of its own: its stdin and stdout as one stream, `stderr` beside. */
  async exec(command: string, options: ExecOptions = {}): Promise<ClientChannel> {
    const opening = this.#opened<ClientChannel>((done) => this.#client.exec(command, options, done));
    this.#hadSession ??= opening.catch(() => undefined);
    try {
      return await opening;
    } catch (cause) {
      throw new SkyError("SKY_SSH_CONNECT", `${this.name}: no session: ${(cause as Error).message}`, {
        cause,
        retryable: true,
      });
    }
  }

  /** A way on from the host, as far as its sshd allows it. */
  async forward(host: string, port: number): Promise<Duplex> {
    await this.#session();
    return this.#opened<Duplex>((done) => this.#client.forwardOut("127.0.0.1", 0, host, port, done));
  }

  /** A stream to a unix socket of the host, without a process there; as far as its sshd allows it. */
  async unixSocket(path: string): Promise<ClientChannel> {
    await this.#session();
    return this.#opened<ClientChannel>((done) => this.#client.openssh_forwardOutStreamLocal(path, done));
  }

  async #session(): Promise<void> {
    this.#hadSession ??= this.run("exit 0").catch(() => undefined);
    await this.#hadSession;
  }

  #opened<T>(open: (done: (error: Error | undefined, stream: T) => void) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      open((error, stream) => (error === undefined ? resolve(stream) : reject(error)));
      // A connection that ends now answers no more.
      void this.closed.then((error) => reject(error ?? new Error("the connection was closed")));
    });
  }

  /** Runs a command to its end with `input` on its stdin. */
  async run(command: string, input: Uint8Array | string = ""): Promise<CommandResult> {
    const channel = await this.exec(command);
    const [stdout, stderr] = [new Tail(OUTPUT_MAX_BYTES), new Tail(OUTPUT_MAX_BYTES)];
    channel.on("data", (chunk: Buffer) => stdout.push(chunk)).stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
    channel.on("error", () => undefined);
    const code = new Promise<number | null>((resolve) => {
      let exit: number | null = null;
      channel.once("exit", (value: number | null) => (exit = value)).once("close", () => resolve(exit));
      void this.closed.then(() => resolve(null));
    });
    channel.end(input);
    return { code: await code, stdout: stdout.toString(), stderr: stderr.toString() };
  }

  close(): void {
    if (this.#open) this.#client.end();
  }

  /** Ends it at once, without a word to the other side. */
  destroy(): void {
    this.#client.destroy();
  }
}

/** In the order of preference; the last one signs with SHA-1, for hosts that know nothing else. */
const HOST_KEY_ALGORITHMS = [
  "ssh-ed25519",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  "rsa-sha2-512",
  "rsa-sha2-256",
  "ssh-rsa",
] as const satisfies readonly ServerHostKeyAlgorithm[];

/** Types of keys that are known come first: a host shows the key that is asked for first, and has several. */
function hostKeyAlgorithms(known: readonly string[]): ServerHostKeyAlgorithm[] {
  const isKnown = (name: string): boolean =>
    known.includes(name) || (name.startsWith("rsa-sha2") && known.includes("ssh-rsa"));
  return [...HOST_KEY_ALGORITHMS.filter(isKnown), ...HOST_KEY_ALGORITHMS.filter((name) => !isKnown(name))];
}

/** What accepts a host's key, into the file that was looked into. */
function trustCommand(
  { host, port }: Pick<SshTarget, "host" | "port">,
  files: readonly string[],
  isBehind: boolean,
): string {
  const place = `${host.includes(":") ? `[${host}]` : host}${port === 22 ? "" : `:${port}`}`;
  const file = files.length === 1 ? ` --known-hosts ${files[0]}` : "";
  return `sky ssh trust ${place}${file}${isBehind ? " --jump <the host before it>" : ""}`;
}

function refusalOf(
  { host, port }: Pick<SshTarget, "host" | "port">,
  key: Buffer,
  knownHosts: KnownHosts,
  isBehind: boolean,
): SkyError | undefined {
  const trust = trustCommand({ host, port }, knownHosts.files, isBehind);
  const name = hostName(host, port);
  const verdict = knownHosts.check(host, port, key);
  const shown = `${keyType(key)} ${fingerprint(key)}`;
  const line = `${name} ${keyType(key)} ${key.toString("base64")}`;
  const details = { host: name, fingerprint: fingerprint(key), keyType: keyType(key) };
  if (verdict.state === "known") return undefined;
  if (verdict.state === "unknown") {
    const message = `${name} shows the host key ${shown}, which is in none of ${knownHosts.files.join(", ")}`;
    return new SkyError("SKY_SSH_HOST_UNKNOWN", message, {
      hint: `Compare the fingerprint on the machine (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub), then: ${trust}`,
      details: { ...details, line },
    });
  }
  if (verdict.state === "revoked")
    return new SkyError("SKY_SSH_HOST_KEY", `${name} shows the revoked host key ${shown}`, { details });
  const message = `${name} shows the host key ${shown}, but known_hosts expects ${verdict.expected.join(" or ")}`;
  return new SkyError("SKY_SSH_HOST_KEY", message, {
    hint: `If the machine was made anew, compare the fingerprint on it, then: ${trust}`,
    details: { ...details, line, expected: verdict.expected },
  });
}

function connectError(cause: Error & { level?: string }, name: string, identities: readonly Identity[]): SkyError {
  const details = { host: name };
  if (cause.level === "client-authentication")
    return new SkyError("SKY_SSH_AUTH", `${name} accepts none of: ${whatOf(identities)}`, { cause, details });
  if (/too many authentication failures/i.test(cause.message)) {
    const message = `${name} listens to no more keys, and accepted none of those before: ${whatOf(identities)}`;
    const hint = "Name the one that it takes: key, or IdentityFile and IdentitiesOnly in ~/.ssh/config.";
    return new SkyError("SKY_SSH_AUTH", message, { cause, hint, details });
  }
  const why = cause.level === "client-timeout" ? `no answer within ${CONNECT_TIMEOUT_MS / 1000} s` : cause.message;
  return new SkyError("SKY_SSH_CONNECT", `${name}: ${why}`, {
    cause,
    retryable: true,
    details,
  });
}
