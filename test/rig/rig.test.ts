import { connect } from "node:net";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { docker, here } from "./docker.ts";
import type { RigMachine } from "./machine.ts";
import { OWNER_LABEL, owner } from "./owner.ts";
import { Rig } from "./rig.ts";

/** Logs in as OpenSSH does, with the host key checked. */
function ssh(rig: Rig, user: string, machine: RigMachine, ...command: readonly string[]): Promise<string> {
  const options = [
    "StrictHostKeyChecking=yes",
    `UserKnownHostsFile=${rig.knownHosts}`,
    "BatchMode=yes",
    "ConnectTimeout=2",
  ];
  const words = options.flatMap((option) => ["-o", option]);
  return here("ssh", "-F", "none", "-i", rig.key, ...words, `${user}@${machine.address}`, ...command);
}

async function greetingMs(machine: RigMachine): Promise<number> {
  const began = performance.now();
  const socket = connect(22, machine.address);
  await once(socket, "connect");
  const took = performance.now() - began;
  socket.destroy();
  return took;
}

describe("a rig", () => {
  let rig: Rig;
  beforeAll(async () => void (rig = await Rig.start({ kind: "bare", diskMb: 16 })));
  afterAll(() => rig[Symbol.asyncDispose]());
  const machine = (): RigMachine => rig.machines[0]!;

  it("lets root and worker in, has neither Node nor Python, and worker has sudo", async () => {
    expect(await ssh(rig, "root", machine(), "whoami; command -v node python3; true")).toBe("root");
    expect(await ssh(rig, "worker", machine(), "sudo -n whoami")).toBe("root");
  });

  it("holds packets of open and new connections, and lets them go again", async () => {
    await machine().weather({ delayMs: 25 });
    const slow = await greetingMs(machine());
    expect(await ssh(rig, "root", machine(), "echo slow")).toBe("slow");
    await machine().calm();
    expect(slow).toBeGreaterThan(49);
    expect(await greetingMs(machine())).toBeLessThan(49);
  });

  it("loses packets of each way, and none again", async () => {
    // Some would take minutes: what is late already is late enough.
    const greeting = (): Promise<number> => Promise.race([greetingMs(machine()), sleep(2000, 2000)]);
    await machine().weather({ loss: 0.5 });
    const lossy = await Promise.all(Array.from({ length: 12 }, greeting));
    await machine().calm();
    // A packet that opens a connection, or answers that, is sent again after a second.
    expect(Math.max(...lossy)).toBeGreaterThan(900);
    // A computer with too much to do is late too, but not with one after the other.
    const faithful: number[] = [];
    for (let i = 0; i < 12; i++) faithful.push(await greetingMs(machine()));
    expect(faithful.toSorted((a, b) => a - b)[6]).toBeLessThan(900);
  });

  it("limits the rate, with and without delay", async () => {
    const send = async (): Promise<number> => {
      const began = performance.now();
      await ssh(rig, "root", machine(), "head -c 500000 /dev/zero");
      return performance.now() - began;
    };
    await machine().weather({ rateMbit: 4 });
    expect(await send()).toBeGreaterThan(800);
    await machine().weather({ rateMbit: 4, delayMs: 5, loss: 0.01 });
    expect(await send()).toBeGreaterThan(800);
    await machine().calm();
    // The rate itself would make each of them late, a busy computer not all.
    const calm = [await send(), await send(), await send(), await send()];
    expect(Math.min(...calm)).toBeLessThan(800);
  });

  it("cuts a machine off without a word, and lets it back", async () => {
    const socket = connect(22, machine().address);
    await once(socket, "data");
    let said = 0;
    socket.on("data", () => said++).on("error", () => undefined);
    await machine().cutOff();
    await expect(ssh(rig, "root", machine(), "true")).rejects.toThrow(/timed out/);
    expect([said, socket.destroyed]).toEqual([0, false]);
    await machine().reconnect();
    expect(await ssh(rig, "root", machine(), "echo back")).toBe("back");
    socket.destroy();
  });

  it("fills a disk, and frees it", async () => {
    await machine().fillDisk();
    await expect(machine().exec("sh", "-c", "echo x > /tmp/more")).rejects.toThrow(/No space left|I\/O error/);
    await machine().freeDisk();
    await machine().exec("sh", "-c", "echo x > /tmp/more");
  });

  it("pauses, kills sshd, and puts another machine at the same address", async () => {
    await machine().pause();
    await expect(ssh(rig, "root", machine(), "true")).rejects.toThrow(/Command failed/);
    await machine().unpause();
    const socket = connect(22, machine().address).on("error", () => undefined);
    await once(socket, "data");
    await machine().killSshd();
    if (!socket.destroyed) await once(socket.resume(), "close");
    expect(await ssh(rig, "root", machine(), "echo here")).toBe("here");
    const { address, hostKey } = machine();
    await machine().replace();
    expect(machine().address).toBe(address);
    expect(machine().hostKey).not.toBe(hostKey);
    await expect(ssh(rig, "root", machine(), "true")).rejects.toThrow(/host key/i);
    await rig.trust();
    expect(await ssh(rig, "root", machine(), "echo new")).toBe("new");
  });

  it("pulls the plug", async () => {
    await machine().kill();
    await expect(ssh(rig, "root", machine(), "true")).rejects.toThrow(/Command failed/);
  });
});

describe("twenty machines", () => {
  it("are up within 10 s, or the time of eight one after the other where that is more, and nothing of them is left", async () => {
    const start = async (machines: number): Promise<readonly [Rig, number]> => {
      const began = performance.now();
      return [await Rig.start({ machines, kind: "bare" }), performance.now() - began];
    };
    const [alone, one] = await start(1);
    await alone[Symbol.asyncDispose]();
    const [rig, took] = await start(20);
    expect(new Set(rig.machines.map((one) => one.address)).size).toBe(20);
    const names = rig.machines.map((one) => one.name);
    await rig[Symbol.asyncDispose]();
    const left = await docker("ps", "--all", "--filter", `label=${OWNER_LABEL}=${owner}`, "--format", "{{.Names}}");
    expect(left.split("\n").filter((name) => names.includes(name))).toEqual([]);
    // 10 s is the bar. A computer that is slow, or busy, for one machine is so for twenty.
    console.log(`20 machines up in ${(took / 1000).toFixed(1)} s, one in ${(one / 1000).toFixed(1)} s`);
    expect(took).toBeLessThan(Math.max(10_000, 8 * one));
  });
});
