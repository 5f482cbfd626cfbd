import { execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Terminal } from "../support/terminal.ts";

const root = join(import.meta.dirname, "../..");
const node = [process.execPath, "--conditions=skyward:source", "--import", "tsx"] as const;
const runtime = mkdtempSync(join(tmpdir(), "sky-runtime-"));
const env = { ...process.env, XDG_RUNTIME_DIR: runtime, NO_COLOR: "1" };
let program: ReturnType<typeof spawn>;

beforeAll(async () => {
  program = spawn(node[0], [...node.slice(1), "test/cli/programs/open-pool.ts"], {
    cwd: root,
    env,
    stdio: ["pipe", "pipe", "inherit"],
  });
  for await (const line of createInterface({ input: program.stdout! })) if (line === "open") break;
});
afterAll(async () => {
  program.stdin!.end();
  await once(program, "exit");
  rmSync(runtime, { recursive: true });
});

function sky(args: readonly string[], input?: string): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = execFile(
      node[0],
      [...node.slice(1), "src/cli/main.ts", ...args],
      { cwd: root, env },
      (error, stdout, stderr) => resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
    child.stdin!.end(input);
  });
}

describe("from another terminal", () => {
  it("sky nodes shows the pool and its nodes", async () => {
    const { stdout, code } = await sky(["nodes"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^demo {2}process \d+, .*open-pool\.ts\nnode 0 {2}ready +\d+ s {2}local-0 .*\nnode 1 {2}ready +\d+ s {2}local-1 .*\nnodes 2\/2 · /,
    );
    const [pool] = JSON.parse((await sky(["nodes", "demo", "--json"])).stdout) as [
      { name: string; view: { slots: number } },
    ];
    expect([pool.name, pool.view.slots]).toEqual(["demo", 2]);
  });

  it("sky logs shows what was printed, of one node or all, and follows", async () => {
    const all = await sky(["logs"]);
    expect(all.stdout).toMatch(/node 0 {3}hello from 0\n/);
    expect(all.stdout).toMatch(/node 1 {3}hello from 1\n/);
    const one = await sky(["logs", "demo", "--node", "1", "--json"]);
    const lines = one.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { node: number; line: string });
    expect(lines.some(({ line }) => line === "hello from 1")).toBe(true);
    expect(lines.every((line) => line.node === 1)).toBe(true);
    expect((await sky(["logs", "demo", "1", "--json"])).stdout).toBe(one.stdout);
    expect(await sky(["logs", "demo", "7"])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("the pool has nodes 0 to 1") as string,
    });
    const follow = spawn(node[0], [...node.slice(1), "src/cli/main.ts", "logs", "--follow"], { cwd: root, env });
    let later = 0;
    for await (const line of createInterface({ input: follow.stdout })) {
      if (/hello from/.test(line)) program.stdin!.write("again\n");
      if (/once more from \d/.test(line) && ++later === 2) break;
    }
    follow.kill();
  });

  it("sky exec runs on every node or one, with the tasks' variables, and has the highest exit code", async () => {
    const { stdout, code } = await sky(["exec", 'echo "$GREETING"']);
    expect([code, stdout.trim().split("\n").sort()]).toEqual([0, ["[0] hi", "[1] hi"]]);
    expect(await sky(["exec", "--node", "1", "--stdin", "--", "cat", "-"], "piped")).toMatchObject({ stdout: "piped" });
    const failed = await sky(["exec", "-n", "0", "echo bad >&2; exit 3"]);
    expect([failed.code, failed.stderr]).toEqual([3, "bad\nsky exec: node 0: exit code 3\n"]);
    expect((await sky(["exec", "-n", "0", "kill -9 $$"])).code).toBe(137);
    const unended = await sky(["exec", "printf 'no end'"]);
    expect(unended.stdout.trim().split("\n").sort()).toEqual(["[0] no end", "[1] no end"]);
    // Bytes are passed on as they are.
    const hash = "head -c 3000000 /dev/zero | tr '\\000' '\\377'";
    const [there, here] = [await sky(["exec", "-n", "0", `${hash} | sha256sum`]), createHash("sha256")];
    const bytes = spawn(node[0], [...node.slice(1), "src/cli/main.ts", "exec", "-n", "0", hash], { cwd: root, env });
    for await (const chunk of bytes.stdout) here.update(chunk as Buffer);
    expect(here.digest("hex")).toBe(there.stdout.slice(0, 64));
    expect(await sky(["exec", "-n", "7", "true"])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("nodes 0 to 1") as string,
    });
  });

  it("sky ssh opens a shell in this terminal", async () => {
    const command = `cd '${root}' && XDG_RUNTIME_DIR='${runtime}' ${node.map((word) => `'${word}'`).join(" ")} src/cli/main.ts ssh demo 1`;
    await using terminal = await Terminal.open(command, { env: { SHELL: "/bin/sh" } });
    await terminal.until((rows) => rows.some((row) => /[$#] ?$/.test(row)));
    await terminal.keys("echo", "Space", "$GREETING", "Space", "from", "Space", "$((40+2))", "Enter");
    await terminal.until((rows) => rows.includes("hi from 42"));
    // Ctrl-C is for what runs there, and the terminal's size is that shell's too.
    await terminal.keys("-l", "echo begun; sleep 600\n");
    await terminal.until((rows) => rows.includes("begun"));
    await terminal.keys("C-c");
    await terminal.resize(90, 20);
    await terminal.keys("-l", "until stty size | grep -w 90; do sleep 0.1; done\n");
    await terminal.until((rows) => rows.includes("20 90"));
    await terminal.keys("exit", "Space", "5", "Enter");
    await terminal.until((rows) => rows.includes("[ended 5]"));
  });

  it("sky ssh takes commands from a stdin that is no terminal", async () => {
    const { code, stdout, stderr } = await sky(["ssh", "demo", "1"], 'echo "$GREETING"; echo bad >&2; exit 6\n');
    expect({ code, stdout, stderr }).toEqual({ code: 6, stdout: "hi\n", stderr: "bad\n" });
    expect(await sky(["ssh", "demo", "1"], "true\n")).toMatchObject({ code: 0 });
    expect((await sky(["ssh", "demo", "7"])).stderr).toMatch(/the pool has nodes 0 to 1\nGive target/);
  });

  it("a program that is stopped is told, and waited for by nobody", async () => {
    program.kill("SIGSTOP");
    const [shown, asked] = [await sky(["nodes"]), await sky(["exec", "true"])];
    program.kill("SIGCONT");
    expect(shown.stdout).toMatch(/^demo {2}process \d+\ndoes not answer: the program is busy/);
    expect(asked).toMatchObject({ code: 1, stderr: expect.stringContaining("does not answer") as string });
  });

  it("names that are wrong are answered with those that there are", async () => {
    expect(await sky(["nodes", "dmeo"])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('did you mean "demo"?') as string,
    });
    const help = await sky(["exec", "--help"]);
    expect(help.stdout).toContain("sky exec nvidia-smi");
  });

  it("only this user may look into the folder, and a killed program's socket is removed", async () => {
    const killed = spawn(node[0], [...node.slice(1), "test/cli/programs/open-pool.ts"], {
      cwd: root,
      env,
      stdio: ["pipe", "pipe", "inherit"],
    });
    for await (const line of createInterface({ input: killed.stdout })) if (line === "open") break;
    const sockets = (): number => readdirSync(join(runtime, "skyward")).length;
    expect(sockets()).toBe(2);
    expect((await sky(["logs", "demo"])).stderr).toMatch(/several pools are open: demo-\d+, demo-\d+/);
    expect((await sky(["nodes", "demo"])).stdout).toMatch(/^demo-\d+ [^]*\n\ndemo-\d+ /);
    expect((await sky(["logs", `demo-${killed.pid}`])).code).toBe(0);
    killed.kill("SIGKILL");
    await once(killed, "exit");
    expect((await sky(["nodes", "demo"])).code).toBe(0);
    expect(sockets()).toBe(1);
  });
});
