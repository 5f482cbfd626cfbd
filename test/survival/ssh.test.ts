import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { leftProcesses } from "../support/left-over.ts";
import { Program } from "../support/run-program.ts";
import { Sshd } from "../support/sshd.ts";

let server: Sshd;
let home: string;

beforeAll(async () => {
  // A home of its own: the agent is not there yet, and its login shell is noisy.
  server = await Sshd.start();
  home = join(server.dir, "home");
  await server[Symbol.asyncDispose]();
  server = await Sshd.start({ env: { HOME: home } });
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, ".bashrc"), 'echo "welcome, {\\"ready\\":true}"; echo oops >&2\n');
}, 30_000);

afterAll(() => server[Symbol.asyncDispose]());

const options = (more: object = {}): Record<string, string> => ({
  SSH: JSON.stringify({ hosts: [server.target], key: server.key, knownHosts: server.knownHosts, ...more }),
});

/** The run directories that a program said, and whatever lives of them. */
async function whatIsLeft(program: Program): Promise<string[]> {
  const [, runs = ""] = await program.says(/^runs (.*)/m);
  return runs.split(" ").flatMap((run) => [...leftProcesses(run), ...(existsSync(run) ? [run] : [])]);
}

async function until(test: () => Promise<boolean>, limitMs: number): Promise<number> {
  const began = performance.now();
  while (!(await test())) {
    if (performance.now() - began > limitMs) throw new Error(`not within ${limitMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return performance.now() - began;
}

describe("a pool over SSH", () => {
  it("does what a local one does, pushes the agent where it is missing, and leaves nothing", async () => {
    expect(existsSync(join(home, ".cache"))).toBe(false);
    await using program = Program.start("over-ssh", { env: options() });
    expect(await program.exit, program.output).toMatchObject({ code: 0 });
    expect(program.output.match(/^ok .*/gm)).toEqual([
      "ok run, map and broadcast",
      "ok logs",
      "ok errors",
      "ok timeout",
      "ok large values",
    ]);
    expect(await whatIsLeft(program)).toEqual([]);
    expect(readdirSync(join(home, ".cache/skyward"), { recursive: true }).join()).toContain("agent");
  });

  it.concurrent.for([
    ["SIGINT", 0],
    ["SIGTERM", 0],
    ["SIGKILL", 20_000],
  ] as const)("leaves nothing on the host after %s", async ([signal, graceMs]) => {
    await using program = Program.start("over-ssh", { args: ["hold"], env: options() });
    await program.says(/^ready/m);
    expect(await whatIsLeft(program)).not.toEqual([]);
    program.kill(signal);
    expect(await program.exit).toEqual({ code: null, signal });
    await until(async () => (await whatIsLeft(program)).length === 0, graceMs);
  });

  it.concurrent("leaves nothing on the host after process.exit", async () => {
    await using program = Program.start("over-ssh", { args: ["exit"], env: options() });
    expect(await program.exit).toMatchObject({ code: 7 });
    await until(async () => (await whatIsLeft(program)).length === 0, 20_000);
  });

  it.concurrent("leaves nothing on the host when sshd is killed with all its sessions and the program with it", async () => {
    await using other = await Sshd.start({ env: { HOME: home } });
    const env = options({ hosts: [other.target], key: other.key, knownHosts: other.knownHosts });
    await using program = Program.start("over-ssh", { args: ["hold"], env });
    await program.says(/^ready/m);
    await other.kill();
    program.kill("SIGKILL");
    await program.exit;
    await until(async () => (await whatIsLeft(program)).length === 0, 20_000);
  });

  it("refuses an unknown host key, a changed one, a wrong key and a closed port, each with its code", async () => {
    const file = (name: string, text: string): string => {
      writeFileSync(join(server.dir, name), text);
      return join(server.dir, name);
    };
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", join(server.dir, "other_key")]);
    const cases: [object, string][] = [
      [{ knownHosts: file("empty", "") }, "SKY_SSH_HOST_UNKNOWN"],
      [
        {
          knownHosts: file(
            "changed",
            server.knownHostsLine().replace(/(AAAA\S{20})./, (_, head: string) => `${head}x`),
          ),
        },
        "SKY_SSH_HOST_KEY",
      ],
      [{ key: join(server.dir, "other_key") }, "SKY_SSH_AUTH"],
      [{ hosts: [`${server.user}@127.0.0.1:1`] }, "SKY_SSH_CONNECT"],
      [{ knownHosts: join(server.dir, "nowhere") }, "SKY_BAD_OPTION"],
    ];
    await Promise.all(
      cases.map(async ([more, code]) => {
        const began = performance.now();
        const said = await Program.run("over-ssh", { env: options(more) });
        expect(said).toContain(`refused ${code}: `);
        expect(performance.now() - began, code).toBeLessThan(12_000);
      }),
    );
  });
});
