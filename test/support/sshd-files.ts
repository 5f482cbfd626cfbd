import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** What a client needs to log in to an sshd of ours, and the command that starts it. */
export interface SshdFiles {
  readonly user: string;
  readonly address: string;
  readonly port: number;
  /** Path of the private key. */
  readonly key: string;
  /** Path of a known_hosts file with the server's key. */
  readonly knownHosts: string;
  readonly command: readonly [string, ...string[]];
  remove(): Promise<void>;
}

/** Keys and configuration of an sshd that lets the current user in by key, in a folder of its own. */
export async function makeSshdFiles(address: string, port: number): Promise<SshdFiles> {
  const folder = await mkdtemp(join(tmpdir(), "skyward-sshd-"));
  const at = (name: string): string => join(folder, name);
  await Promise.all(
    ["host", "key"].map((name) => run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", at(name)])),
  );
  const [host, key] = await Promise.all([readFile(at("host.pub"), "utf8"), readFile(at("key.pub"), "utf8")]);
  const name = port === 22 ? address : `[${address}]:${port}`;
  const config = [
    `Port ${port}`,
    `ListenAddress ${address}`,
    `HostKey ${at("host")}`,
    `AuthorizedKeysFile ${at("authorized_keys")}`,
    `PidFile ${at("pid")}`,
    "PasswordAuthentication no",
    "KbdInteractiveAuthentication no",
    "PermitRootLogin prohibit-password",
    "StrictModes no",
    "UsePAM no",
    "UseDNS no",
    "MaxStartups 200",
    "MaxSessions 50",
  ];
  await Promise.all([
    writeFile(at("authorized_keys"), key),
    writeFile(at("known_hosts"), `${name} ${host.split(" ").slice(0, 2).join(" ")}\n`),
    writeFile(at("config"), `${config.join("\n")}\n`),
    // sshd drops its privileges here, and refuses to start where the folder is missing.
    userInfo().uid === 0 ? mkdir("/run/sshd", { recursive: true }) : undefined,
  ]);
  return {
    user: userInfo().username,
    address,
    port,
    key: at("key"),
    knownHosts: at("known_hosts"),
    command: ["/usr/sbin/sshd", "-D", "-e", "-f", at("config")],
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
