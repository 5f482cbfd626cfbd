import { describe, expect, it } from "vitest";
import * as sky from "skyward";
import { Rig } from "../rig/rig.ts";
import type { RigMachine } from "../rig/machine.ts";

/** Every file of a machine but for the cache, and every process but for those of a login. */
async function stateOf(machine: RigMachine): Promise<{ files: readonly string[]; processes: readonly string[] }> {
  const places = ["/proc", "/sys", "/dev", "/run", "/root/.cache"].map((path) => `-path ${path} -prune -o`).join(" ");
  const [files, processes] = await Promise.all([
    machine.exec("sh", "-c", `find / ${places} -print`),
    machine.exec("ps", "-eo", "args="),
  ]);
  const lines = (text: string): string[] =>
    text
      .split("\n")
      .filter((line) => line !== "")
      .sort();
  const ours = lines(processes).filter((line) => !/^(?:ps |sshd|sh -c find|find |runc init)/.test(line));
  return { files: lines(files), processes: ours };
}

const image: sky.Image = { env: { GREETING: "hello" }, shellVars: { KERNEL: "uname -s" } };

describe("a machine that is borrowed", () => {
  it("is left as it was found, apart from the cache", async () => {
    await using rig = await Rig.start({ machines: 1 });
    const [machine] = rig.machines as [RigMachine];
    const before = await stateOf(machine);
    await sky.compute({ provider: sky.ssh(rig.ssh), image, console: "silent" }, async (pool) => {
      await pool.run(sky.fn(async () => (await import("node:fs")).writeFileSync("written", "in the work folder"))());
      expect((await stateOf(machine)).processes).not.toEqual(before.processes);
    });
    expect(await stateOf(machine)).toEqual(before);
    expect(await machine.exec("ls", "/root/.cache")).toBe("skyward");
  });

  it("carries two pools that don't disturb each other", async () => {
    await using rig = await Rig.start({ machines: 1 });
    const [machine] = rig.machines as [RigMachine];
    const before = await stateOf(machine);
    const write = sky.fn(async (text: string) => {
      const { readFileSync, writeFileSync } = await import("node:fs");
      writeFileSync("mine", text);
      await new Promise((resolve) => setTimeout(resolve, 50));
      return [readFileSync("mine", "utf8"), process.env["GREETING"]];
    });
    const open = (): Promise<sky.Pool> =>
      sky.compute({
        provider: sky.ssh(rig.ssh),
        image: { ...image, steps: ["echo once >> /root/.cache/steps"] },
        console: "silent",
      });
    const [first, second] = await Promise.all([open(), open()]);
    expect(await Promise.all([first.run(write("a")), second.run(write("b"))])).toEqual([
      ["a", "hello"],
      ["b", "hello"],
    ]);
    // They came up at the same time, and what both needed was done once.
    expect(await machine.exec("cat", "/root/.cache/steps")).toBe("once");
    await first.close();
    expect(await second.run(write("c"))).toEqual(["c", "hello"]);
    await second.close();
    expect(await stateOf(machine)).toEqual(before);
  });

  it("shows no secret to another account, and keeps none", async () => {
    await using rig = await Rig.start({ machines: 1 });
    const [machine] = rig.machines as [RigMachine];
    const canary = `canary-${process.pid}-${performance.now()}`;
    await machine.exec("useradd", "--create-home", "other");
    const provider = sky.ssh({ ...rig.ssh, hosts: [`worker@${machine.address}`] });
    const given: sky.Image = {
      secrets: { TOKEN: canary, PEM: `first line\n${canary}-second` },
      steps: ['test -n "$TOKEN"', "env | grep TOKEN", 'echo "$PEM"'],
    };
    const told: unknown[] = [];
    // As root all of the disk is seen, as the other account what it may see: the answer has no canary in it.
    const [onDisk, asOther] = [
      `grep -rlF -e ${canary} /tmp /home /root /var /etc /run 2>/dev/null; true`,
      `su other -c 'cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null; find /tmp /home -type f -readable -exec cat {} + 2>/dev/null'; true`,
    ];
    const looks = async (): Promise<void> => {
      expect(await machine.exec("sh", "-c", onDisk)).toBe("");
      const seen = await machine.exec("sh", "-c", asOther);
      expect(seen).toContain("sshd");
      expect(seen).not.toContain(canary);
    };
    await sky.compute({ provider, image: given, console: "silent" }, async (pool) => {
      const events = (async () => {
        for await (const event of pool.events) told.push(event);
      })();
      const read = sky.fn(() => {
        console.log("a task that has it", process.env["TOKEN"]);
        return process.env["TOKEN"];
      });
      expect(await pool.run(read())).toBe(canary);
      await looks();
      await pool.close();
      await events;
    });
    await looks();
    expect(JSON.stringify(told)).toContain("a task that has it");
    expect(JSON.stringify(told)).not.toContain(canary);
  });
});
