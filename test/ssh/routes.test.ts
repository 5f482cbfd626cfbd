import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import ssh2 from "ssh2";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { hostPlans, type SshProviderOptions } from "../../src/providers/ssh/options.ts";
import { routeTo } from "../../src/providers/ssh/route.ts";
import { SshConnection } from "../../src/ssh/connection.ts";
import { readSshConfig } from "../../src/ssh/config/ssh-config.ts";
import { Sshd } from "../support/sshd.ts";

const signal = new AbortController().signal;
const dir = mkdtempSync(join(tmpdir(), "ssh-routes-"));
let inner: Sshd;
let bastion: Sshd;
let config: string;
let knownHosts: string;

beforeAll(async () => {
  [inner, bastion] = await Promise.all([Sshd.start(), Sshd.start({ config: ["AllowTcpForwarding yes"] })]);
  knownHosts = join(dir, "known_hosts");
  writeFileSync(knownHosts, inner.knownHostsLine() + bastion.knownHostsLine());
  mkdirSync(join(dir, "config.d"));
  config = join(dir, "config");
  writeFileSync(
    config,
    `Include config.d/*.conf

Host bastion
  HostName 127.0.0.1
  Port ${bastion.port}
  IdentityFile ${bastion.key}

Host inner-*
  ProxyJump bastion

Host *
  UserKnownHostsFile ${knownHosts}
  User ${inner.user}
`,
  );
  const relay = `node -e 'const s = require("net").connect(+process.argv[2], process.argv[1]); process.stdin.pipe(s).pipe(process.stdout)' %h %p`;
  writeFileSync(
    join(dir, "config.d/inner.conf"),
    `Host inner inner-*
  HostName 127.0.0.1
  Port ${inner.port}
  IdentityFile "${inner.key}"
  IdentitiesOnly yes
Host piped
  HostName 127.0.0.1
  Port ${inner.port}
  IdentityFile ${inner.key}
  ProxyCommand ${relay}
Host loop
  HostName 127.0.0.1
  ProxyJump loop
Host broken
  HostName 127.0.0.1
  IdentityFile ${inner.key}
  ProxyCommand echo no way to %h >&2; exit 7
`,
  );
});
afterAll(async () => {
  await Promise.all([inner[Symbol.asyncDispose](), bastion[Symbol.asyncDispose]()]);
  rmSync(dir, { recursive: true });
});

async function open(options: SshProviderOptions): Promise<SshConnection> {
  const around = { config: await readSshConfig(options.config ?? config), knownHosts: options.knownHosts };
  return SshConnection.open(await routeTo(hostPlans(options)[0]!, around), signal);
}

async function whoIs(connection: SshConnection): Promise<string> {
  try {
    const { stdout } = await connection.run('echo "$SSH_CONNECTION"');
    return stdout.trim().split(" ").at(-1)!;
  } finally {
    connection.close();
    await connection.closed;
  }
}

describe("the way to a host", () => {
  it("is what the configuration says: name, port, user, key, known hosts, included files", async () => {
    expect(await whoIs(await open({ hosts: ["inner"] }))).toBe(String(inner.port));
  });

  it("goes through a jump host, from the configuration or the call", async () => {
    const logins = (): number => bastion.log.split("Accepted publickey").length;
    const before = logins();
    expect(await whoIs(await open({ hosts: ["inner-gpu"] }))).toBe(String(inner.port));
    expect(await whoIs(await open({ hosts: ["inner"], jump: "bastion" }))).toBe(String(inner.port));
    const named = { host: inner.target, key: inner.key, jump: ["bastion"] };
    expect(await whoIs(await open({ hosts: [named], knownHosts }))).toBe(String(inner.port));
    const own = { host: "127.0.0.1", port: bastion.port, user: bastion.user, key: bastion.key };
    expect(await whoIs(await open({ hosts: ["inner"], jump: own }))).toBe(String(inner.port));
    expect(logins() - before).toBe(4);
    expect(await whoIs(await open({ hosts: ["inner-gpu"], jump: "none" }))).toBe(String(inner.port));
    expect(logins() - before).toBe(4);
  });

  it("goes through a command", async () => {
    expect(await whoIs(await open({ hosts: ["piped"] }))).toBe(String(inner.port));
  });

  it("fails in the words of what it goes through", async () => {
    await expect(open({ hosts: ["broken"] })).rejects.toThrow(/ProxyCommand failed: no way to 127\.0\.0\.1/);
    await using closed = await Sshd.start({ config: ["AllowTcpForwarding no"] });
    const jump = `${closed.user}@127.0.0.1:${closed.port}`;
    writeFileSync(join(dir, "both"), inner.knownHostsLine() + closed.knownHostsLine());
    await expect(
      open({ hosts: [inner.target], key: closed.key, jump, knownHosts: join(dir, "both"), config: false }),
    ).rejects.toMatchObject({
      code: "SKY_SSH_CONNECT",
      message: expect.stringContaining("does not let us through to 127.0.0.1") as string,
      hint: expect.stringContaining("AllowTcpForwarding") as string,
    });
  });

  it("checks the host keys of a jump host as well", async () => {
    writeFileSync(join(dir, "inner-only"), inner.knownHostsLine());
    await expect(open({ hosts: ["inner-gpu"], knownHosts: join(dir, "inner-only") })).rejects.toMatchObject({
      code: "SKY_SSH_HOST_UNKNOWN",
      message: expect.stringContaining(String(bastion.port)) as string,
    });
  });

  it("does not go in circles", async () => {
    await expect(open({ hosts: ["loop"], key: inner.key })).rejects.toMatchObject({ code: "SKY_SSH_CONNECT" });
  });

  it("comes from an inventory in TOML too", async () => {
    const file = join(dir, "hosts.toml");
    writeFileSync(
      file,
      `user = "${inner.user}"\n[[hosts]]\nhost = "127.0.0.1"\nport = ${inner.port}\nkey = "${inner.key}"\n`,
    );
    expect(await whoIs(await open({ inventory: file, knownHosts }))).toBe(String(inner.port));
    writeFileSync(file, `hosts = ["a", "b"]\nkeys = "x"\n`);
    expect(() => hostPlans({ inventory: file })).toThrow(
      /hosts\.toml: there is no option "keys"; did you mean "key"\?/,
    );
    writeFileSync(file, `hosts = [`);
    expect(() => hostPlans({ inventory: file })).toThrow(/inventory: .*hosts\.toml can't be read/);
  });
});

describe("a key", () => {
  const usual = (): SshProviderOptions => ({ hosts: [inner.target], knownHosts, config: false });
  /** An encrypted key that the inner host takes, and an agent that holds `held`. */
  let encrypted: string;
  let agent: { readonly socket: string; readonly pid: number };
  const add = (path: string): void => {
    const askpass = join(dir, "askpass");
    writeFileSync(askpass, "#!/bin/sh\necho open sesame\n", { mode: 0o755 });
    const env = { ...process.env, SSH_AUTH_SOCK: agent.socket, SSH_ASKPASS: askpass, SSH_ASKPASS_REQUIRE: "force" };
    execFileSync("ssh-add", ["-q", path], { env, stdio: "ignore" });
  };
  const make = (name: string, passphrase: string): string => {
    const path = join(dir, name);
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", passphrase, "-C", "", "-f", path]);
    return path;
  };
  beforeAll(() => {
    encrypted = make("encrypted", "open sesame");
    appendFileSync(join(inner.dir, "authorized_keys"), readFileSync(`${encrypted}.pub`));
    const said = execFileSync("ssh-agent", ["-s"], { encoding: "utf8" });
    agent = { socket: /SSH_AUTH_SOCK=([^;]+)/.exec(said)![1]!, pid: Number(/SSH_AGENT_PID=(\d+)/.exec(said)![1]) };
    for (let index = 0; index < 8; index++) add(make(`other-${index}`, ""));
    add(encrypted);
  });
  beforeEach(() => vi.stubEnv("SSH_AUTH_SOCK", agent.socket));
  afterEach(() => vi.unstubAllEnvs());
  afterAll(() => process.kill(agent.pid));

  it("may be a path, text or bytes, and its text is in no message", async () => {
    const text = readFileSync(inner.key, "utf8");
    for (const key of [inner.key, text, Buffer.from(text)])
      expect(await whoIs(await open({ ...usual(), key }))).toBe(String(inner.port));
    const refused = open({ ...usual(), key: text.replace("b3Bl", "AAAA") }).catch(String);
    expect(await refused).toContain("the given key is no private key");
    expect(await refused).not.toContain(text.split("\n")[2]);
  });

  it("that an agent holds goes before the agent's others, of which a server hears a few only", async () => {
    expect(await whoIs(await open({ ...usual(), key: encrypted }))).toBe(String(inner.port));
    expect(await whoIs(await open({ ...usual(), key: `${encrypted}.pub` }))).toBe(String(inner.port));
    const about = { HostName: "127.0.0.1", Port: inner.port, User: inner.user, UserKnownHostsFile: knownHosts };
    const lines = Object.entries(about).map((words) => `  ${words.join(" ")}\n`);
    const named = join(dir, "named");
    for (const more of [`IdentityFile ${encrypted}`, `IdentityFile ${encrypted}.pub`, `IdentityFile ${inner.key}`]) {
      for (const only of ["", "  IdentitiesOnly yes\n"]) {
        writeFileSync(named, `Host named\n${lines.join("")}  ${more}\n${only}`);
        expect(await whoIs(await open({ hosts: ["named"], config: named }))).toBe(String(inner.port));
      }
    }
    await expect(open(usual())).rejects.toMatchObject({
      code: "SKY_SSH_AUTH",
      hint: expect.stringContaining("IdentitiesOnly") as string,
    });
  });

  it("may be missing in an agent, or the agent itself", async () => {
    vi.stubEnv("SSH_AUTH_SOCK", join(dir, "nobody"));
    await expect(open(usual())).rejects.toMatchObject({ code: "SKY_SSH_AUTH" });
    await expect(open({ ...usual(), key: encrypted, passphrase: "wrong" })).rejects.toThrow(/does not open/);
    expect(await whoIs(await open({ ...usual(), key: encrypted, passphrase: "open sesame" }))).toBe(String(inner.port));
    vi.stubEnv("SSH_AUTH_SOCK", "");
    await expect(open({ ...usual(), key: encrypted })).rejects.toThrow(/is encrypted, and no passphrase was given/);
  });
});

describe("a password", () => {
  it.each(["password", "keyboard-interactive"] as const)("opens by %s", async (method) => {
    const { privateKey } = generateKeyPairSync("rsa", {
      modulusLength: 2048,
      publicKeyEncoding: { type: "pkcs1", format: "pem" },
      privateKeyEncoding: { type: "pkcs1", format: "pem" },
    });
    const server = new ssh2.Server({ hostKeys: [privateKey] }, (client) => {
      client.on("error", () => undefined);
      client.on("authentication", (context) => {
        if (context.method === "password" && method === "password")
          return context.password === "s3cret" ? context.accept() : context.reject();
        if (context.method !== "keyboard-interactive" || method !== "keyboard-interactive")
          return (context as { reject(methods: string[]): void }).reject([method]);
        context.prompt([{ prompt: "Password: ", echo: false }], (answers) =>
          answers[0] === "s3cret" ? context.accept() : context.reject(),
        );
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const parsed = ssh2.utils.parseKey(privateKey) as unknown as { getPublicSSH(): Buffer };
    const known = join(dir, `known-${method}`);
    writeFileSync(known, `[127.0.0.1]:${port} ssh-rsa ${parsed.getPublicSSH().toString("base64")}\n`);
    const options = { hosts: [`me@127.0.0.1:${port}`], knownHosts: known, config: false as const };
    const connection = await open({ ...options, password: "s3cret" });
    connection.close();
    await connection.closed;
    const refused = await open({ ...options, password: "wr0ng" }).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: "SKY_SSH_AUTH" });
    expect(String(refused)).not.toContain("wr0ng");
    server.close();
  });
});

describe("options", () => {
  it.each([
    [{}, /hosts must name at least one host/],
    [{ hosts: ["a"], ports: 1 }, /there is no option "ports"; did you mean "port"\?/],
    [{ hosts: [{ host: "a", prot: 1 }] }, /hosts\[0\]: there is no option "prot"; did you mean "port"\?/],
    [{ hosts: [{ port: 22 }] }, /hosts\[0\] has no host/],
    [{ hosts: ["a"], port: 99_999 }, /port must be a whole number from 1 to 65535; got 99999/],
    [{ hosts: ["a"], jump: "-oX" }, /jump: "-oX" is no SSH host/],
    [{ hosts: ["a"], inventory: "b" }, /hosts are given twice/],
    [{ hosts: "me@a" }, /hosts must be a list, such as \["me@a"\]/],
    [{ hosts: ["a"], identityFile: "k" }, /there is no option "identityFile"; it is called "key"/],
    [{ hosts: ["a"], jump: 5 }, /jump is no SSH host: 5/],
    [{ hosts: ["a"], jump: { user: "me" } }, /jump has no host/],
    [{ hosts: ["a"], jump: ["b", { host: "c", prot: 1 }] }, /jump: there is no option "prot"; did you mean "port"\?/],
  ])("%j is refused", (options, message) => {
    expect(() => hostPlans(options as SshProviderOptions)).toThrow(message);
  });
});
