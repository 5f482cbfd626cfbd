import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { Readable } from "node:stream";
import { createHash, randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SshConnection } from "../../src/ssh/connection.ts";
import { type IdentityOptions, loadIdentities } from "../../src/ssh/identity.ts";
import { KnownHosts } from "../../src/ssh/known-hosts.ts";
import { SessionStream } from "../../src/ssh/session-stream.ts";
import { parseTarget } from "../../src/ssh/target.ts";
import { type CachedFile, upload } from "../../src/ssh/upload.ts";
import { Sshd } from "../support/sshd.ts";

const signal = new AbortController().signal;
let sshd: Sshd;
let agentSocket: string | undefined;

beforeAll(async () => {
  agentSocket = process.env["SSH_AUTH_SOCK"];
  delete process.env["SSH_AUTH_SOCK"];
  sshd = await Sshd.start();
  writeFileSync(sshd.knownHosts, sshd.knownHostsLine());
});
afterAll(async () => {
  if (agentSocket !== undefined) process.env["SSH_AUTH_SOCK"] = agentSocket;
  await sshd[Symbol.asyncDispose]();
});

interface Access extends IdentityOptions {
  readonly server?: Sshd;
  readonly target?: string;
  readonly knownHosts?: string;
  readonly signal?: AbortSignal;
}

/** Connects as a user would, with something changed. */
async function open({
  server = sshd,
  target,
  knownHosts,
  signal: own = signal,
  ...identity
}: Access = {}): Promise<SshConnection> {
  const identities = await loadIdentities({ key: server.key, ...identity });
  const known =
    knownHosts === undefined ? await KnownHosts.read(server.knownHosts) : new KnownHosts(knownHosts, ["known_hosts"]);
  return SshConnection.open({ target: parseTarget(target ?? server.target), identities, knownHosts: known }, own);
}

function newKey(name: string, ...options: string[]): string {
  const path = join(sshd.dir, name);
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-C", "", "-f", path, ...options]);
  return path;
}

const fingerprintOf = (server: Sshd): string =>
  execFileSync("ssh-keygen", ["-lf", join(server.dir, "host_key.pub")])
    .toString()
    .split(" ")[1]!;

/** Waits for that many bytes. */
function took(stream: SessionStream, bytes: number, use: (chunk: Buffer) => void): Promise<void> {
  return new Promise((resolve) => {
    let got = 0;
    const read = (chunk: Buffer): void => {
      use(chunk);
      got += chunk.length;
      if (got < bytes) return;
      stream.off("data", read);
      resolve();
    };
    stream.on("data", read);
  });
}

describe("host keys", () => {
  it("that are known let the connection come about", async () => {
    const connection = await open();
    expect(await connection.run("cat; echo no >&2; exit 3", "input")).toEqual({
      code: 3,
      stdout: "input",
      stderr: "no\n",
    });
    connection.close();
    expect(await connection.closed).toBeUndefined();
    expect(connection.isOpen).toBe(false);
    await expect(connection.exec("true")).rejects.toMatchObject({ code: "SKY_SSH_CONNECT" });
  });

  it("that are unknown are refused by their fingerprint, with the line to add", async () => {
    const refused = await open({ knownHosts: "" }).catch((error: unknown) => error);
    expect(refused).toMatchObject({
      code: "SKY_SSH_HOST_UNKNOWN",
      retryable: false,
      details: { fingerprint: fingerprintOf(sshd) },
    });
    const { line } = (refused as { details: { line: string } }).details;
    (await open({ knownHosts: line })).close();
  });

  it("that changed are refused by both fingerprints", async () => {
    const other = readFileSync(`${newKey("other_host", "-N", "")}.pub`, "utf8");
    const refused = await open({ knownHosts: `[127.0.0.1]:${sshd.port} ${other}` }).catch(
      (error: unknown) => error as Error,
    );
    expect(refused).toMatchObject({ code: "SKY_SSH_HOST_KEY", retryable: false });
    const expected = execFileSync("ssh-keygen", ["-lf", join(sshd.dir, "other_host.pub")])
      .toString()
      .split(" ")[1]!;
    expect((refused as Error).message).toContain(expected);
    expect((refused as Error).message).toContain(fingerprintOf(sshd));
  });

  it("that were revoked are refused", async () => {
    const knownHosts = `${sshd.knownHostsLine()}@revoked * ${sshd.hostKey.type} ${sshd.hostKey.base64}`;
    await expect(open({ knownHosts })).rejects.toMatchObject({
      code: "SKY_SSH_HOST_KEY",
      message: expect.stringMatching(/revoked/),
    });
  });

  it("are asked for in the type that is known, though the host has better ones", async () => {
    const rsa = join(sshd.dir, "rsa_host");
    execFileSync("ssh-keygen", ["-q", "-t", "rsa", "-b", "2048", "-N", "", "-C", "", "-f", rsa]);
    await using both = await Sshd.start({ config: [`HostKey ${rsa}`] });
    const [type, key] = readFileSync(`${rsa}.pub`, "utf8").split(" ");
    const connection = await open({ server: both, knownHosts: `[127.0.0.1]:${both.port} ${type} ${key}` });
    expect(connection.isOpen).toBe(true);
    connection.close();
  });
});

describe("identities", () => {
  it("that the host does not accept are named", async () => {
    const key = newKey("stranger", "-N", "");
    await expect(open({ key })).rejects.toMatchObject({ code: "SKY_SSH_AUTH", message: expect.stringContaining(key) });
  });

  it("may be bytes", async () => {
    const connection = await open({ key: readFileSync(sshd.key) });
    expect(connection.isOpen).toBe(true);
    connection.close();
  });

  it("may be encrypted", async () => {
    const key = join(sshd.dir, "locked");
    writeFileSync(key, readFileSync(sshd.key), { mode: 0o600 });
    execFileSync("ssh-keygen", ["-q", "-p", "-P", "", "-N", "open sesame", "-f", key]);
    (await open({ key, passphrase: "open sesame" })).close();
    await expect(open({ key })).rejects.toMatchObject({
      code: "SKY_SSH_AUTH",
      message: expect.stringMatching(/no passphrase/),
    });
    await expect(open({ key, passphrase: "wrong" })).rejects.toMatchObject({
      code: "SKY_SSH_AUTH",
      message: expect.stringMatching(/passphrase/),
    });
  });

  it.each([
    ["is not there", "no_such_file", /can't be read/],
    ["is a public key", "client_key.pub", /no private key/],
    ["is something else", "sshd_config", /no private key/],
  ])("whose file %s are bad options", async (_, name, words) => {
    await expect(open({ key: join(sshd.dir, name) })).rejects.toMatchObject({
      code: "SKY_BAD_OPTION",
      message: expect.stringMatching(words),
    });
  });

  it("may be held by an SSH agent", async () => {
    const socket = join(sshd.dir, "agent");
    const agent = spawn("ssh-agent", ["-D", "-a", socket], { stdio: ["ignore", "pipe", "inherit"] });
    await once(agent.stdout, "data");
    execFileSync("ssh-add", ["-q", sshd.key], { env: { ...process.env, SSH_AUTH_SOCK: socket }, stdio: "ignore" });
    process.env["SSH_AUTH_SOCK"] = socket;
    try {
      const identities = await loadIdentities({});
      const knownHosts = await KnownHosts.read(sshd.knownHosts);
      const connection = await SshConnection.open({ target: parseTarget(sshd.target), identities, knownHosts }, signal);
      expect(connection.isOpen).toBe(true);
      connection.close();
    } finally {
      delete process.env["SSH_AUTH_SOCK"];
      agent.kill();
    }
  });
});

describe("connections", () => {
  it("to a port that nobody listens on fail at once, and may be tried again", async () => {
    await expect(open({ target: "127.0.0.1:1", knownHosts: "" })).rejects.toMatchObject({
      code: "SKY_SSH_CONNECT",
      retryable: true,
    });
  });

  it("to a server that says nothing end with the signal", async () => {
    const silent = createServer(() => undefined).listen(0, "127.0.0.1");
    await once(silent, "listening");
    const address = silent.address();
    const port = typeof address === "object" ? address?.port : 0;
    const abort = new AbortController();
    const opening = open({ target: `127.0.0.1:${port}`, knownHosts: "", signal: abort.signal });
    await once(silent, "connection");
    abort.abort(new Error("enough"));
    await expect(opening).rejects.toThrow("enough");
    silent.close();
  });

  it("that are cut end their sessions", async () => {
    const connection = await open();
    const stream = new SessionStream(await connection.exec("cat"));
    const closed = once(stream, "close");
    stream.write("x");
    await once(stream, "data");
    sshd.dropConnections();
    await closed;
    await connection.closed;
    expect(connection.isOpen).toBe(false);
    await expect(
      new Promise((_, reject) => stream.write("y", (error) => reject(error ?? new Error("written")))),
    ).rejects.not.toThrow("written");
  });

  it("pass 64 KiB there and back in less than 5 ms: no delayed acknowledgement waits for Nagle", async () => {
    const connection = await open();
    const stream = new SessionStream(await connection.exec("cat"));
    const block = randomBytes(64 * 1024);
    // The best of five: what else this machine does may slow some, a stall of 40 ms slows all.
    const medians: number[] = [];
    for (let batch = 0; batch < 5; batch++) {
      const times: number[] = [];
      for (let round = 0; round < 20; round++) {
        const start = performance.now();
        stream.write(block);
        await took(stream, block.length, () => undefined);
        times.push(performance.now() - start);
      }
      medians.push(times.toSorted((a, b) => a - b)[10]!);
    }
    connection.close();
    expect(Math.min(...medians)).toBeLessThan(5);
  });

  it("carry any amount both ways, without holding it", async () => {
    const connection = await open();
    const stream = new SessionStream(await connection.exec("cat"));
    const block = randomBytes(1024 * 1024);
    const hash = createHash("sha256");
    const sent = createHash("sha256");
    const sending = (async () => {
      for (let count = 0; count < 24; count++) {
        sent.update(block);
        if (!stream.write(block)) await once(stream, "drain");
      }
    })();
    await took(stream, 24 * block.length, (chunk) => hash.update(chunk));
    await sending;
    connection.close();
    expect(hash.digest("hex")).toBe(sent.digest("hex"));
  });
});

describe("uploads", () => {
  const bytes = randomBytes(300_000);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const file = (more: Partial<CachedFile> = {}): CachedFile => ({
    kind: "agent",
    file: "a-file",
    sha256,
    size: bytes.length,
    executable: true,
    ...more,
  });

  it("arrive whole, or not at all", async () => {
    const home = join(sshd.dir, "home");
    await using server = await Sshd.start({ env: { HOME: home, XDG_CACHE_HOME: `${home}/cache of mine` } });
    const connection = await open({ server });
    const list = async (): Promise<string> =>
      (await connection.run(`cd '${home}' 2>/dev/null && find . -type f -printf '%m %s %p\\n'`)).stdout;
    const broken = upload(connection, file(), {
      open: () => Readable.from([bytes.subarray(1)], { objectMode: false }),
    });
    await expect(broken).rejects.toMatchObject({
      code: "SKY_AGENT_FAILED",
      message: expect.stringMatching(/not what was sent/),
    });
    const ended = upload(connection, file(), { open: () => Readable.from(failing()) });
    await expect(ended).rejects.toMatchObject({ code: "SKY_AGENT_FAILED" });
    expect(await list()).toBe("");
    const whole = () => upload(connection, file(), { open: () => Readable.from([bytes], { objectMode: false }) });
    await Promise.all([whole(), whole()]);
    expect(await list()).toBe(`700 300000 ./cache of mine/skyward/agent-${sha256.slice(0, 16)}/a-file\n`);
    connection.close();
  });

  async function* failing(): AsyncGenerator<Buffer> {
    yield bytes.subarray(0, 1000);
    throw new Error("the disk is broken");
  }
});
