import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { promisify } from "node:util";
import * as sky from "skyward";
import setUpRig from "../test/rig/global-setup.ts";
import type { RigMachine } from "../test/rig/machine.ts";
import { Rig, type RigOptions } from "../test/rig/rig.ts";
import type { SshMachine } from "./ssh-machine.ts";

/** Containers with an sshd and an address each, for the length of a case. */
export async function withMachines(options: RigOptions, body: (rig: Rig) => Promise<void>): Promise<void> {
  const tearDown = await setUpRig();
  try {
    await using rig = await Rig.start(options);
    await body(rig);
  } finally {
    await tearDown();
  }
}

/** Where and how to log in, for peers. */
export function loginOf({ key, knownHosts }: Rig, { address }: RigMachine): SshMachine {
  return { user: "root", address, port: 22, key, knownHosts };
}

export function rigPool({ ssh }: Rig, nodes: number, concurrency: number): Promise<sky.Pool> {
  return Promise.resolve(sky.compute({ provider: sky.ssh(ssh), nodes, worker: { concurrency }, console: "silent" }));
}

/** Words for OpenSSH's client that make it log in as we do: that key, that host key, no configuration of this computer. */
export function sshWords({ user, address, key, knownHosts }: SshMachine): string[] {
  const options = [`UserKnownHostsFile=${knownHosts}`, "BatchMode=yes", "IdentitiesOnly=yes"];
  return ["-F", "/dev/null", "-i", key, ...options.flatMap((one) => ["-o", one]), `${user}@${address}`];
}

/** `ssh host true` on all machines at once: what nothing that logs in can be faster than. */
export async function sshTrue(rig: Rig): Promise<void> {
  const run = promisify(execFile);
  await Promise.all(rig.machines.map((machine) => run("ssh", [...sshWords(loginOf(rig, machine)), "true"])));
}

/** Sends a file through `ssh host 'cat > there'`, by this cipher. */
export async function sshCatFile(machine: SshMachine, cipher: string, local: string, there: string): Promise<void> {
  const words = ["-c", cipher, ...sshWords(machine), `cat > ${there}`];
  const child = spawn("sh", ["-c", 'file=$1; shift; exec ssh "$@" < "$file"', "sh", local, ...words], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  const [code] = (await once(child, "exit")) as [number | null];
  if (code !== 0) throw new Error(`ssh ended with ${code}`);
}
