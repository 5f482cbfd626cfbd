import { execFile } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { connect } from "node:net";
import { networkInterfaces } from "node:os";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { delayLink, type DelayLink } from "./weather.ts";

const run = promisify(execFile);

describe("delayLink", () => {
  it("reaches a real sshd with the delay each way, and leaves nothing behind", async () => {
    const link = await delayLink({ delayMs: 25 });
    try {
      const started = performance.now();
      const socket = connect(link.port, link.address);
      await once(socket, "connect");
      const trip = performance.now() - started;
      socket.destroy();
      expect(trip).toBeGreaterThan(49);
      expect(trip).toBeLessThan(90);
      expect((await ssh(link, "echo hello")).stdout).toBe("hello\n");
    } finally {
      await link.close();
    }
    expect(Object.keys(networkInterfaces()).filter((name) => name.startsWith(`sky${process.pid}`))).toEqual([]);
    expect(namespaces()).toEqual([]);
  });

  it("takes down what was started behind it", async () => {
    const link = await delayLink({ delayMs: 1 });
    const { stdout } = await ssh(link, "setsid sleep 600 > /dev/null 2>&1 & echo $!");
    await link.close();
    // Killed at once, but its entry stays until the machine's first process has collected it.
    await expect.poll(() => existsSync(`/proc/${stdout.trim()}`), { timeout: 5_000 }).toBe(false);
  });
});

function ssh(link: DelayLink, command: string): Promise<{ stdout: string }> {
  const options = [`UserKnownHostsFile=${link.knownHosts}`, "StrictHostKeyChecking=yes", "BatchMode=yes"];
  return run("ssh", [
    ...options.flatMap((option) => ["-o", option]),
    "-F",
    "none",
    "-i",
    link.key,
    `${link.user}@${link.address}`,
    command,
  ]);
}

function namespaces(): string[] {
  try {
    return readdirSync("/run/netns").filter((name) => name.startsWith(`sky${process.pid}x`));
  } catch {
    return [];
  }
}
