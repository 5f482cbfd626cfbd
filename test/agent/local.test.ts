import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { findTree } from "../../src/agent/process-tree.ts";
import { local } from "../../src/providers/local/local.ts";
import type { Machine } from "../../src/providers/provider.ts";
import { LineReader, lives, newToken, nodeConfig, spawnChildren, toyAgent, until } from "../support/toy.ts";

const work = mkdtempSync(join(tmpdir(), "local-test-"));
afterAll(() => rmSync(work, { recursive: true }));
const signal = new AbortController().signal;

async function machineOf(agent: string, rank = 0): Promise<Machine> {
  return local({ agent }).provision({ rank, pool: "test" }, signal);
}

/** A program of an agent that is none. */
function fakeAgent(name: string, source: string): string {
  const path = join(work, name);
  writeFileSync(path, source);
  return path;
}

const fails = (code: string, words: RegExp) => expect.objectContaining({ code, message: expect.stringMatching(words) });

describe("a local machine", () => {
  it("starts an agent, connects to it, and releases it with all that it started", async () => {
    const machine = await machineOf(await toyAgent());
    const token = newToken();
    await machine.start(nodeConfig(token), signal);
    const key = { token, epoch: 1 };
    const [control, data] = await Promise.all(
      (["control", "data"] as const).map((kind) => machine.connect(kind, key, signal)),
    );
    const link = new LineReader(data!);
    const supervisor = ((await new LineReader(control!).json()) as { pid: number }).pid;
    expect(await link.json()).toMatchObject({ ok: true });
    link.write("hello\n");
    expect(await link.next()).toBe("hello");
    // The token is in nobody's arguments.
    for (const pid of findTree({ root: { pid: supervisor, startTime: "" } })) {
      expect(readFileSync(`/proc/${pid}/cmdline`, "latin1")).not.toContain(token);
    }
    const pids = await spawnChildren(link, "detached");
    control!.write('{"type":"end"}\n');
    const released = machine.release();
    expect(machine.release()).toBe(released);
    await released;
    expect([supervisor, ...pids].filter(lives)).toEqual([]);
    await expect(machine.connect("data", key, signal)).rejects.toMatchObject({ code: "SKY_LINK_LOST" });
  });

  it("is released without a goodbye too, and before it was started", async () => {
    await (await machineOf(await toyAgent())).release();
    const machine = await machineOf(await toyAgent());
    const token = newToken();
    await machine.start(nodeConfig(token), signal);
    const control = new LineReader(await machine.connect("control", { token, epoch: 1 }, signal));
    const { pid } = (await control.json()) as { pid: number };
    await machine.release();
    expect(lives(pid)).toBe(false);
    await control.end();
  });

  it("says so when its agent was killed, and leaves nothing of it", async () => {
    const machine = await machineOf(await toyAgent());
    const token = newToken();
    await machine.start(nodeConfig(token), signal);
    const key = { token, epoch: 1 };
    const control = new LineReader(await machine.connect("control", key, signal));
    const data = new LineReader(await machine.connect("data", key, signal));
    const { pid } = (await control.json()) as { pid: number };
    await data.json();
    const pids = await spawnChildren(data, "detached");
    process.kill(pid, "SIGKILL");
    await control.end();
    await until(() => !lives(pid), 2000);
    // A dying process may take a last connection, which ends at once.
    const again = async (): Promise<never> => {
      for (;;) await new LineReader(await machine.connect("control", key, signal)).end();
    };
    await expect(again()).rejects.toThrow(fails("SKY_LINK_LOST", /local-0 ended \(SIGKILL\)|does not answer/));
    await machine.release();
    expect(pids.filter(lives)).toEqual([]);
  });

  it.each([
    ["throws", "throw new Error('no such luck')", /no such luck/],
    ["ends in silence", "", /ended before it was ready/],
    ["talks without end", "setInterval(() => process.stdout.write('x'.repeat(10_000)), 1)", /endless line/],
  ])("reports an agent that %s", async (name, source, words) => {
    const machine = await machineOf(fakeAgent(`${name}.mjs`, source));
    await expect(machine.start(nodeConfig(newToken()), signal)).rejects.toThrow(fails("SKY_AGENT_FAILED", words));
  });

  it("reports what the agent refuses", async () => {
    const machine = await machineOf(await toyAgent());
    const wrong = nodeConfig(newToken(), { version: 9 as never });
    await expect(machine.start(wrong, signal)).rejects.toThrow(fails("SKY_WIRE_VERSION", /not 9/));
  });

  it("gives up when it is told to", async () => {
    const abort = new AbortController();
    const machine = await machineOf(
      fakeAgent("waits.mjs", "setInterval(() => {}, 1000); process.stdin.on('end', () => process.exit()).resume()"),
    );
    const starting = machine.start(nodeConfig(newToken()), abort.signal);
    abort.abort(new Error("enough"));
    await expect(starting).rejects.toThrow("enough");
  });

  it("starts its agent without the options of this Node", async () => {
    process.env["NODE_OPTIONS"] = "--require=/no/such/file";
    try {
      const machine = await machineOf(await toyAgent());
      await expect(machine.start(nodeConfig(newToken()), signal)).resolves.toBeUndefined();
      await machine.release();
    } finally {
      delete process.env["NODE_OPTIONS"];
    }
  });
});

describe("a program with local nodes", () => {
  /** Its run directories lie in `dir`, so that what is left can be seen. */
  async function program(
    then: "hold" | "leave",
  ): Promise<{ child: ReturnType<typeof spawn>; dir: string; pids: number[] }> {
    const dir = mkdtempSync(join(tmpdir(), "prog-"));
    const env: NodeJS.ProcessEnv = { ...process.env, TMPDIR: dir };
    delete env["XDG_RUNTIME_DIR"];
    const file = join(import.meta.dirname, "../support/toy-controller.ts");
    const child = spawn(process.execPath, ["--import", "tsx", file, await toyAgent(), then], {
      env,
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [line] = (await once(child.stdout, "data")) as [Buffer];
    return { child, dir, pids: JSON.parse(line.toString()) as number[] };
  }

  const runDirs = (dir: string): string[] => readdirSync(dir).filter((name) => name.startsWith("sky-"));
  const leftOf = (dir: string): string[] => {
    const runs = readdirSync("/proc").filter((pid) => {
      try {
        return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/environ`, "latin1").includes(`SKYWARD_RUN=${dir}/`);
      } catch {
        return false;
      }
    });
    return [...runDirs(dir), ...runs];
  };

  it.each(["SIGKILL", "SIGTERM", "SIGINT"] as const)("leaves nothing within 2 s of its end by %s", async (kill) => {
    const { child, dir, pids } = await program("hold");
    expect(pids).toHaveLength(12);
    expect(pids.every(lives)).toBe(true);
    expect(runDirs(dir)).toHaveLength(2);
    child.kill(kill);
    await once(child, "exit");
    await until(() => leftOf(dir).length === 0 && !pids.some(lives), 2000, "the end of all agents");
    rmSync(dir, { recursive: true });
  });

  it("ends although nobody closed its nodes, and they end with it", async () => {
    const { child, dir } = await program("leave");
    if (child.exitCode === null) await once(child, "exit");
    expect(child.exitCode).toBe(0);
    await until(() => leftOf(dir).length === 0, 2000, "the end of all agents");
    expect(existsSync(dir)).toBe(true);
    rmSync(dir, { recursive: true });
  });
});
