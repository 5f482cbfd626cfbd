import { execFile, execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as sky from "skyward";
import { Sshd } from "../support/sshd.ts";

const root = join(import.meta.dirname, "../..");
let dir: string;
let sshd: Sshd;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "sky-cli-ssh-"));
  sshd = await Sshd.start({ env: { HOME: dir, XDG_CACHE_HOME: join(dir, ".cache") } });
});
afterAll(async () => {
  await sshd[Symbol.asyncDispose]();
  rmSync(dir, { recursive: true });
});

function run(...args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const node = ["--conditions=skyward:source", "--import", "tsx", "src/cli/main.ts", "ssh", ...args];
  return new Promise((resolve) => {
    execFile(process.execPath, node, { cwd: root, env: { ...process.env, NO_COLOR: "1" } }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    ).stdin!.end();
  });
}

const fingerprintOf = (file: string): string =>
  execFileSync("ssh-keygen", ["-lf", file], { encoding: "utf8" }).split(" ")[1]!;

describe("sky ssh trust", () => {
  it("shows a key and adds it with --yes alone", async () => {
    const file = join(dir, "empty");
    const print = fingerprintOf(join(sshd.dir, "host_key.pub"));
    const asked = await run("trust", sshd.target, "--known-hosts", file);
    expect(asked.stdout).toContain(`[127.0.0.1]:${sshd.port} shows  ssh-ed25519 ${print}`);
    expect(asked.stderr).toContain("there is no terminal to ask on");
    expect([asked.code, readFileSync(file, "utf8")]).toEqual([1, ""]);
    expect((await run("trust", sshd.target, "--known-hosts", file, "--yes")).stdout).toContain(`Added to ${file}`);
    const provider = sky.ssh({ hosts: [sshd.target], key: sshd.key, knownHosts: file });
    await sky.compute({ provider, console: "silent" }, async () => undefined);
    expect((await run("trust", sshd.target, "--known-hosts", file)).stdout).toContain("trusted already");
  });

  it("puts a key in the place of another, where the refusal of that names both and this command", async () => {
    const file = join(dir, "changed");
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(dir, "other")]);
    const [type, key] = readFileSync(join(dir, "other.pub"), "utf8").split(" ");
    const name = `[127.0.0.1]:${sshd.port}`;
    writeFileSync(file, `elsewhere ${type} ${key}\n${name} ${type} ${key}\n`);
    const prints = [join(sshd.dir, "host_key.pub"), join(dir, "other.pub")].map(fingerprintOf);
    const provider = sky.ssh({ hosts: [sshd.target], key: sshd.key, knownHosts: file });
    const refused: unknown = await sky.compute({ provider, console: "silent" }, async () => undefined).catch((e) => e);
    const command = `sky ssh trust 127.0.0.1:${sshd.port} --known-hosts ${file}`;
    expect(refused).toMatchObject({ code: "SKY_SSH_HOST_KEY", hint: expect.stringContaining(command) as string });
    for (const print of prints) expect((refused as Error).message).toContain(print);
    const { stdout, code } = await run("trust", name, "--known-hosts", file, "--yes");
    expect(code).toBe(0);
    for (const print of prints) expect(stdout).toContain(print);
    expect(readFileSync(file, "utf8").split("\n").slice(0, 1)).toEqual([`elsewhere ${type} ${key}`]);
    expect(readFileSync(file, "utf8")).not.toContain(`${name} ${type} ${key}`);
    const again = sky.ssh({ hosts: [sshd.target], key: sshd.key, knownHosts: file });
    await sky.compute({ provider: again, console: "silent" }, async () => undefined);
  });
});

describe("sky ssh clean", () => {
  it("removes the cache, but not from under a pool", async () => {
    const provider = sky.ssh({ hosts: [sshd.target], key: sshd.key, knownHosts: sshd.knownHosts });
    const words = ["clean", sshd.target, "--key", sshd.key, "--known-hosts", sshd.knownHosts];
    await sky.compute({ provider, console: "silent" }, async () => {
      const { code, stderr } = await run(...words);
      expect([code, stderr]).toEqual([1, expect.stringContaining("a pool runs on")]);
    });
    expect(readdirSync(join(dir, ".cache"))).toEqual(["skyward"]);
    expect((await run(...words)).stdout).toMatch(/^Removed ~\/\.cache\/skyward on .*: \d+ MB\.\n$/);
    expect(readdirSync(join(dir, ".cache"))).toEqual([]);
    expect((await run(...words)).stdout).toMatch(/^Nothing of ours is on /);
  });
});
