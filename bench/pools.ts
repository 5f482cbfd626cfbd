import * as sky from "skyward";
import type { SshMachine } from "./ssh-machine.ts";

type Open = Parameters<typeof sky.compute>[0];

/** One local node with two threads, the shape that most figures are measured on. */
export function localPool(concurrency = 2): Promise<sky.Pool> {
  return open({ provider: sky.local(), nodes: 1, worker: { concurrency } });
}

/** The same on a machine that is reached by SSH. */
export function sshPool({ user, address, port, key, knownHosts }: SshMachine, concurrency = 2): Promise<sky.Pool> {
  const provider = sky.ssh({ hosts: [`${user}@${address}:${port}`], key, knownHosts });
  return open({ provider, nodes: 1, worker: { concurrency } });
}

function open(spec: Open): Promise<sky.Pool> {
  return Promise.resolve(sky.compute({ ...spec, console: "silent" }));
}
