import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { fingerprint, keyType, KnownHosts } from "./known-hosts.ts";

const dir = mkdtempSync(join(tmpdir(), "known-hosts-"));
afterAll(() => rmSync(dir, { recursive: true }));

function newKey(type: string): { type: string; base64: string; bytes: Buffer; path: string } {
  const path = join(dir, `${type}-${Math.random()}`);
  execFileSync("ssh-keygen", ["-q", "-t", type, "-N", "", "-C", "", "-f", path]);
  const [name = "", base64 = ""] = readFileSync(`${path}.pub`, "utf8").trim().split(" ");
  return { type: name, base64, bytes: Buffer.from(base64, "base64"), path };
}

const one = newKey("ed25519");
const two = newKey("ecdsa");
const other = newKey("ed25519");
const line = (hosts: string, key: typeof one): string => `${hosts} ${key.type} ${key.base64}`;
const read = (...lines: string[]): KnownHosts => new KnownHosts(lines.join("\n"), ["test"]);

describe("known hosts", () => {
  it("names a key as ssh-keygen does", () => {
    expect(execFileSync("ssh-keygen", ["-lf", `${one.path}.pub`]).toString()).toContain(` ${fingerprint(one.bytes)} `);
    expect(keyType(two.bytes)).toBe("ecdsa-sha2-nistp256");
  });

  it.each([
    ["build", "build", 22],
    ["Build,other", "build", 22],
    ["other,build", "BUILD", 22],
    ["[build]:2222", "build", 2222],
    ["[10.0.0.1]:2222,[build]:2222", "10.0.0.1", 2222],
    ["*.lab", "build.lab", 22],
    ["build?", "build7", 22],
  ])("%s stands for %s, port %i", (hosts, host, port) => {
    expect(read(line(hosts, one)).check(host, port, one.bytes)).toEqual({ state: "known" });
  });

  it.each([
    ["build", "build", 2222],
    ["[build]:2222", "build", 22],
    ["build", "buildx", 22],
    ["b.ild", "build", 22],
    ["*.lab,!build.lab", "build.lab", 22],
    ["#build", "build", 22],
    ["@cert-authority build", "build", 22],
  ])("%s does not stand for %s, port %i", (hosts, host, port) => {
    expect(read(line(hosts, one)).check(host, port, one.bytes)).toEqual({ state: "unknown" });
  });

  it("tells a changed key from an unknown one, and names what it expects", () => {
    const hosts = read("", "# mine", line("build", one), "broken line", line("build", two));
    expect(hosts.check("build", 22, two.bytes)).toEqual({ state: "known" });
    expect(hosts.check("build", 22, other.bytes)).toEqual({
      state: "changed",
      expected: [`ssh-ed25519 ${fingerprint(one.bytes)}`, `ecdsa-sha2-nistp256 ${fingerprint(two.bytes)}`],
    });
    expect(hosts.check("elsewhere", 22, one.bytes)).toEqual({ state: "unknown" });
    expect(hosts.typesFor("build", 22)).toEqual(["ssh-ed25519", "ecdsa-sha2-nistp256"]);
  });

  it("a revoked key stays revoked, whatever else is said of it", () => {
    const hosts = read(line("build", one), line("@revoked *", one));
    expect(hosts.check("build", 22, one.bytes)).toEqual({ state: "revoked" });
    expect(hosts.typesFor("elsewhere", 22)).toEqual([]);
  });

  it("reads what ssh-keygen -H hashed", () => {
    const file = join(dir, "hashed");
    writeFileSync(file, `${line("build", one)}\n${line("[build]:2222", two)}\n`);
    execFileSync("ssh-keygen", ["-q", "-H", "-f", file]);
    const text = readFileSync(file, "utf8");
    expect(text).not.toContain("build");
    const hosts = new KnownHosts(text, [file]);
    expect(hosts.check("build", 22, one.bytes)).toEqual({ state: "known" });
    expect(hosts.check("build", 2222, two.bytes)).toEqual({ state: "known" });
    expect(hosts.check("build", 22, two.bytes)).toMatchObject({ state: "changed" });
  });

  it("is sure of nothing that it can't read", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const { state } = new KnownHosts(text, []).check("build", 22, one.bytes);
        expect(state).not.toBe("known");
      }),
    );
  });

  it("a file that was named must be there", async () => {
    await expect(KnownHosts.read(join(dir, "none"))).rejects.toMatchObject({ code: "SKY_BAD_OPTION" });
  });
});
