import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { Machine, Provider } from "../../src/providers/provider.ts";
import { ssh } from "../../src/providers/ssh/ssh.ts";
import { Sshd, type SshdOptions } from "../support/sshd.ts";
import { LineReader, lives, newToken, nodeConfig, spawnChildren, toyAgent, until } from "../support/toy.ts";

const signal = new AbortController().signal;
const home = mkdtempSync(join(tmpdir(), "ssh-home-"));
let sshd: Sshd;
let agent: string;

beforeAll(async () => {
  agent = await toyAgent();
  sshd = await startSshd({ HOME: home });
});
afterAll(async () => {
  await sshd[Symbol.asyncDispose]();
  rmSync(home, { recursive: true });
});

/** A server whose accounts see nothing of the real home. */
function startSshd(env: Record<string, string>, options: SshdOptions = {}): Promise<Sshd> {
  return Sshd.start({ ...options, env: { XDG_CACHE_HOME: `${env["HOME"]}/.cache`, ...env } });
}

function providerOf(server: Sshd, hosts = [server.target]): Provider {
  return ssh({ hosts, key: server.key, knownHosts: server.knownHosts }, { agent });
}

interface Opened {
  readonly machine: Machine;
  readonly control: LineReader;
  readonly data: LineReader;
  readonly key: { token: string; epoch: number };
  readonly supervisor: number;
  readonly phases: readonly string[];
}

/** A node with both its links, answered. */
async function openNode(provider: Provider, rank = 0): Promise<Opened> {
  const phases: string[] = [];
  const machine = await provider.provision({ rank, pool: "test", onPhase: (phase) => phases.push(phase) }, signal);
  const key = { token: newToken(), epoch: 1 };
  await machine.start(nodeConfig(key.token, { rank }), signal);
  const [control, data] = await Promise.all(
    (["control", "data"] as const).map(async (kind) => new LineReader(await machine.connect(kind, key, signal))),
  );
  const { pid } = (await control!.json()) as { pid: number };
  expect(await data!.json()).toMatchObject({ ok: true, generation: 1 });
  return { machine, control: control!, data: data!, key, supervisor: pid, phases };
}

async function echo(data: LineReader, text: string): Promise<void> {
  data.write(`${text}\n`);
  expect(await data.next()).toBe(text);
}

const runDirOf = (pid: number): string =>
  /SKYWARD_RUN=([^\0]+)/.exec(readFileSync(`/proc/${pid}/environ`, "latin1"))![1]!;
const attachesOf = (dir: string): number[] =>
  readdirSync("/proc").flatMap((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "latin1").includes(`attach\0data\0${dir}\0`) ? [Number(pid)] : [];
    } catch {
      return [];
    }
  });
const cached = (): string[] => readdirSync(join(home, ".cache/skyward")).toSorted();

// What the machine of the tests trusts is sent along too.
vi.stubEnv("NODE_EXTRA_CA_CERTS", "");

describe("a machine reached by SSH", () => {
  it("gets the agent into a home without anything, once, and is left as it was but for that", async () => {
    const provider = providerOf(sshd);
    expect(provider.capacity?.()).toBe(1);
    const first = await openNode(provider);
    expect(first.phases).toEqual(["connect", "start agent", "push agent", "start agent"]);
    expect(first.machine).toMatchObject({ name: sshd.target, host: "127.0.0.1" });
    const dir = runDirOf(first.supervisor);
    expect(statSync(dir).mode & 0o777).toBe(0o700);
    expect(statSync(join(home, ".cache/skyward", cached()[0]!, "agent.mjs")).mode & 0o777).toBe(0o600);
    const pids = await spawnChildren(first.data, "detached");
    // Neither token nor configuration can be seen in a list of processes.
    expect(execFileSync("ps", ["-eo", "args"]).toString()).not.toContain(first.key.token);
    first.control.write('{"type":"end"}\n');
    await first.machine.release();
    expect([first.supervisor, ...pids].filter(lives)).toEqual([]);
    expect(attachesOf(dir)).toEqual([]);
    expect(existsSync(dir)).toBe(false);
    const second = await openNode(provider);
    expect(second.phases).toEqual(["connect", "start agent"]);
    await second.machine.release();
    expect(lives(second.supervisor)).toBe(false);
    expect(cached()).toHaveLength(1);
  });

  it("hashes the agent that lies there before each start", async () => {
    const provider = providerOf(sshd);
    await (await openNode(provider)).machine.release();
    const file = join(home, ".cache/skyward", cached()[0]!, "agent.mjs");
    const bytes = readFileSync(file);
    writeFileSync(file, `${bytes.subarray(0, -2).toString()}/*`);
    const node = await openNode(provider);
    expect(node.phases).toContain("push agent");
    expect(readFileSync(file).equals(bytes)).toBe(true);
    await node.machine.release();
  });

  it("may carry several nodes, which send the agent once", async () => {
    rmSync(join(home, ".cache"), { recursive: true, force: true });
    const provider = providerOf(sshd, [sshd.target, sshd.target]);
    expect(provider.capacity?.()).toBe(2);
    const nodes = await Promise.all([0, 1, 2, 3].map((rank) => openNode(provider, rank)));
    expect(nodes.flatMap((node) => node.phases).filter((phase) => phase === "push agent")).toHaveLength(1);
    await Promise.all(nodes.map((node, rank) => echo(node.data, `node ${rank}`)));
    await Promise.all(nodes.map((node) => node.machine.release()));
    expect(nodes.map((node) => node.supervisor).filter(lives)).toEqual([]);
  });

  it("may have a talkative login shell", async () => {
    const noisy = mkdtempSync(join(tmpdir(), "ssh-noisy-"));
    for (const file of [".bashrc", ".profile", ".zshenv"])
      writeFileSync(join(noisy, file), 'echo "Welcome to the lab"; echo oops >&2\n');
    await using server = await startSshd({ HOME: noisy });
    const node = await openNode(providerOf(server));
    await echo(node.data, "hello");
    await node.machine.release();
    expect(lives(node.supervisor)).toBe(false);
    rmSync(noisy, { recursive: true });
  });

  it("needs no process of ours for its links: they are the agent's own socket", async () => {
    const node = await openNode(providerOf(sshd));
    await echo(node.data, "x".repeat(2_000_000));
    expect(attachesOf(runDirOf(node.supervisor))).toEqual([]);
    node.data.write("!die SIGKILL");
    await node.data.end();
    const again = new LineReader(await node.machine.connect("data", node.key, signal));
    expect(await again.json()).toMatchObject({ ok: true, generation: 2 });
    await node.machine.release();
  });

  it("says at once when the agent is no more, for good", async () => {
    const node = await openNode(providerOf(sshd));
    process.kill(node.supervisor, "SIGKILL");
    await Promise.all([node.control.end(), node.data.end()]);
    await expect(node.machine.connect("control", node.key, signal)).rejects.toMatchObject({
      code: "SKY_LINK_LOST",
      retryable: false,
      message: expect.stringMatching(/the agent has ended/),
    });
    await node.machine.release();
  });

  it("whose sshd opens no sockets gives the host the session's own pipes: no byte passes the attach", async () => {
    await using server = await startSshd({ HOME: home }, { config: ["AllowTcpForwarding no"] });
    const node = await openNode(providerOf(server));
    const [attach] = attachesOf(runDirOf(node.supervisor));
    const passed = (): number => Number(/^rchar: (\d+)/m.exec(readFileSync(`/proc/${attach}/io`, "utf8"))![1]);
    const before = passed();
    await echo(node.data, "x".repeat(2_000_000));
    expect(passed() - before).toBeLessThan(100_000);
    // A host that dies ends its link, although the attach still holds the pipes.
    node.data.write("!die SIGKILL");
    await node.data.end();
    await until(() => !lives(attach!), 3000, "the end of the attach");
    const again = new LineReader(await node.machine.connect("data", node.key, signal));
    expect(await again.json()).toMatchObject({ ok: true, generation: 2 });
    await node.machine.release();
  });

  it.each([
    ["sockets", 0],
    ["sessions", 1],
  ])("is connected to again by %s when its connections were cut, or sshd was killed", async (way, attaches) => {
    await using server = await startSshd(
      { HOME: home },
      { config: way === "sockets" ? [] : ["AllowTcpForwarding no"] },
    );
    const node = await openNode(providerOf(server));
    const dir = runDirOf(node.supervisor);
    for (const cut of ["drop", "kill"] as const) {
      if (cut === "drop") server.dropConnections();
      else await server.kill();
      await Promise.all([node.control.end(), node.data.end()]);
      const linking = Promise.all(
        (["control", "data"] as const).map((kind) => node.machine.connect(kind, node.key, signal)),
      );
      if (cut === "kill") await server.restart();
      const [control, data] = (await linking).map((stream) => new LineReader(stream));
      expect(await control!.json()).toMatchObject({ ok: true, pid: node.supervisor });
      expect(await data!.json()).toMatchObject({ ok: true, generation: 1 });
      await echo(data!, "still the same host");
      await until(() => attachesOf(dir).length === attaches, 5000, "the end of the old attach");
      Object.assign(node, { control, data });
    }
    await node.machine.release();
    expect(lives(node.supervisor)).toBe(false);
    expect(existsSync(dir)).toBe(false);
  });

  it("is cleaned although its supervisor was killed", async () => {
    const node = await openNode(providerOf(sshd));
    const dir = runDirOf(node.supervisor);
    const pids = await spawnChildren(node.data, "detached");
    process.kill(node.supervisor, "SIGKILL");
    await node.machine.release();
    expect(pids.filter(lives)).toEqual([]);
    expect(existsSync(dir)).toBe(false);
  });

  it("refuses links as a local one does, and the connection goes on", async () => {
    const node = await openNode(providerOf(sshd));
    for (const kind of ["control", "data"] as const) {
      const link = new LineReader(await node.machine.connect(kind, { token: newToken(), epoch: 1 }, signal));
      expect(await link.json()).toMatchObject({ ok: false, code: "SKY_LINK_REFUSED" });
      await link.end();
    }
    await echo(node.data, "unharmed");
    await node.machine.release();
  });

  it("that has no Node gets the pinned one", async () => {
    const bare = mkdtempSync(join(tmpdir(), "ssh-bare-"));
    mkdirSync(join(bare, "bin"));
    const tools = "sh bash dd uname wc sha256sum mkdir cat mv rm chmod tar gzip setsid".split(" ");
    for (const tool of tools) symlinkSync(execFileSync("which", [tool]).toString().trim(), join(bare, "bin", tool));
    // One that is too old is as good as none.
    writeFileSync(join(bare, "bin/node"), "#!/bin/sh\necho v18.20.4\n");
    chmodSync(join(bare, "bin/node"), 0o755);
    await using server = await startSshd({ HOME: bare, PATH: join(bare, "bin") });
    const node = await openNode(providerOf(server));
    expect(node.phases).toEqual(["connect", "start agent", "push agent", "push node", "start agent"]);
    expect(readFileSync(`/proc/${node.supervisor}/cmdline`, "latin1")).toMatch(
      new RegExp(`^${bare}/.cache/skyward/node-[0-9a-f]{16}/node\0`),
    );
    await echo(node.data, "hello");
    await node.machine.release();
    expect(lives(node.supervisor)).toBe(false);
    rmSync(bare, { recursive: true });
  });

  it("where nothing can be stored says so", async () => {
    await using server = await startSshd({ HOME: "/proc/none" });
    await expect(openNode(providerOf(server))).rejects.toMatchObject({
      code: "SKY_AGENT_FAILED",
      message: expect.stringMatching(/stored/),
    });
  });

  it("whose agent does not start shows its last lines", async () => {
    const broken = join(home, "broken.mjs");
    writeFileSync(broken, "throw new Error('this agent is broken')");
    const provider = ssh({ hosts: [sshd.target], key: sshd.key, knownHosts: sshd.knownHosts }, { agent: broken });
    await expect(openNode(provider)).rejects.toMatchObject({
      code: "SKY_AGENT_FAILED",
      message: expect.stringMatching(/this agent is broken/),
    });
  });
});

describe("options of ssh()", () => {
  it.each([
    [{ hosts: [] }, /at least one host/],
    [{}, /at least one host/],
    [undefined, /missing/],
    [{ hosts: ["a b"] }, /no SSH host/],
    [{ hosts: [7] }, /no SSH host/],
    [{ hosts: ["host"], knownhosts: "x" }, /no option "knownhosts"/],
    [{ hosts: ["host"], key: 7 }, /key is a path/],
    [{ hosts: ["host"], knownHosts: ["x"] }, /knownHosts is/],
    [{ hosts: ["host"], passphrase: 1 }, /passphrase is/],
  ])("%j is refused when it is made", (options, words) => {
    expect(() => ssh(options as never)).toThrow(
      expect.objectContaining({ code: "SKY_BAD_OPTION", message: expect.stringMatching(words) }),
    );
  });

  it("name files that must be there, and the host must be the one that is known", async () => {
    const options = { hosts: [sshd.target], key: sshd.key, knownHosts: sshd.knownHosts };
    const provision = (more: object) =>
      ssh({ ...options, ...more }, { agent }).provision({ rank: 0, pool: "test" }, signal);
    await expect(provision({ key: "/no/key" })).rejects.toMatchObject({ code: "SKY_BAD_OPTION" });
    await expect(provision({ knownHosts: "/no/hosts" })).rejects.toMatchObject({ code: "SKY_BAD_OPTION" });
    const empty = join(home, "empty_hosts");
    appendFileSync(empty, "");
    await expect(provision({ knownHosts: empty })).rejects.toMatchObject({ code: "SKY_SSH_HOST_UNKNOWN" });
  });
});
