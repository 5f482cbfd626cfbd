import type { Sshd } from "../test/support/sshd.ts";

/** Where to log in, and with what. */
export interface SshMachine {
  readonly user: string;
  readonly address: string;
  readonly port: number;
  /** Path of the private key. */
  readonly key: string;
  /** Path of a known_hosts file with the machine's key. */
  readonly knownHosts: string;
}

export function loopback({ user, port, key, knownHosts }: Sshd): SshMachine {
  return { user, address: "127.0.0.1", port, key, knownHosts };
}
