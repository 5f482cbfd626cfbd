import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { identityOf, newKeyPair } from "./key-pair.ts";

describe("newKeyPair", () => {
  it("makes keys that OpenSSH reads, with the public half that belongs to them", async () => {
    const dir = mkdtempSync(join(tmpdir(), "keys-"));
    try {
      const { privateKey, publicKey } = await newKeyPair();
      const file = join(dir, "key");
      writeFileSync(file, privateKey, { mode: 0o600 });
      expect(execFileSync("ssh-keygen", ["-y", "-f", file], { encoding: "utf8" }).trim()).toBe(publicKey);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  it("makes none that can't be read, and none twice", async () => {
    const pairs = await Promise.all(Array.from({ length: 2000 }, newKeyPair));
    for (const pair of pairs) expect((await identityOf(pair)).type).toBe("key");
    expect(new Set(pairs.map(({ publicKey }) => publicKey)).size).toBe(2000);
  });
});
