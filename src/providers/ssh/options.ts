import { readFileSync } from "node:fs";
import { parse } from "smol-toml";
import { didYouMean } from "../../errors/nearest.ts";
import { SkyError } from "../../errors/sky-error.ts";
import type { IdentityOptions } from "../../ssh/identity.ts";
import { homePath } from "../../ssh/config/directives.ts";
import { type GivenTarget, splitTarget } from "../../ssh/target.ts";

/** The way to a host; what is left out here, `~/.ssh/config` says. */
export interface SshAccess extends IdentityOptions {
  /** @default the one in the host's name, else the configuration's, else this user's */
  readonly user?: string;
  readonly port?: number;
  /** Hosts to go through, such as "me@bastion": the first is reached first. "none": straight. */
  readonly jump?: SshJump | readonly SshJump[];
}

/** "user@host:port", a name of `~/.ssh/config`, or a host with a way of its own. */
export type SshJump = string | SshHostOptions;

/** One host with a way of its own. */
export interface SshHostOptions extends SshAccess {
  /** "user@host:port", or a name of `~/.ssh/config`. */
  readonly host: string;
}

export interface SshProviderOptions extends SshAccess {
  /** Node `i` runs on `hosts[i % hosts.length]`. */
  readonly hosts?: readonly (string | SshHostOptions)[];
  /** A TOML file with `hosts = [...]` or `[[hosts]]`, and the options above for all of them. */
  readonly inventory?: string;
  /** The file with the hosts' keys. @default `~/.ssh/known_hosts` and `/etc/ssh/ssh_known_hosts` */
  readonly knownHosts?: string;
  /** OpenSSH's configuration; false: none is read. @default `~/.ssh/config` and `/etc/ssh/ssh_config` */
  readonly config?: string | false;
}

/** A host, and all that was said of the way to it. */
export interface HostPlan {
  readonly target: GivenTarget;
  readonly access: SshAccess;
}

const ACCESS: readonly string[] = [
  "user",
  "port",
  "key",
  "passphrase",
  "password",
  "jump",
] satisfies (keyof SshAccess)[];
const OPTIONS: readonly string[] = ["hosts", "inventory", "knownHosts", "config", ...ACCESS];
const EXAMPLE = 'For example: ssh({ hosts: ["me@build:22"], key: "~/.ssh/id_ed25519" }).';

/**
 * Checks what a user gave, and reads the inventory.
 * @throws SkyError SKY_BAD_OPTION
 */
export function hostPlans(options: SshProviderOptions): readonly HostPlan[] {
  if (typeof options !== "object" || options === null) throw bad("options are missing");
  known("ssh", options, OPTIONS);
  const { hosts, inventory, knownHosts, config, ...access } = options;
  if (knownHosts !== undefined && typeof knownHosts !== "string") throw bad("knownHosts is the path of a file");
  if (config !== undefined && config !== false && typeof config !== "string")
    throw bad("config is the path of a file, or false");
  checkAccess("", access);
  if (inventory === undefined) return plansOf(hosts, access, "hosts");
  if (hosts !== undefined) throw bad("hosts are given twice: by hosts and by inventory");
  const listed = readInventory(inventory);
  const { hosts: named, ...common } = listed;
  return plansOf(named, { ...common, ...access }, `${inventory}: hosts`);
}

function readInventory(path: unknown): SshProviderOptions {
  if (typeof path !== "string") throw bad("inventory is the path of a TOML file");
  let listed: object;
  try {
    listed = parse(readFileSync(homePath(path), "utf8"));
  } catch (cause) {
    throw bad(`inventory: ${path} can't be read: ${(cause as Error).message.split("\n")[0]}`, cause);
  }
  known(path, listed, ["hosts", ...ACCESS]);
  checkAccess(`${path}: `, listed);
  return listed;
}

function plansOf(hosts: unknown, common: SshAccess, name: string): readonly HostPlan[] {
  if (typeof hosts === "string") throw bad(`${name} must be a list, such as [${JSON.stringify(hosts)}]`);
  if (!Array.isArray(hosts) || hosts.length === 0) throw bad(`${name} must name at least one host`);
  return hosts.map((one: unknown, index) => hostPlan(`${name}[${index}]`, one, common));
}

/** @throws SkyError SKY_BAD_OPTION for what is no host */
export function hostPlan(name: string, given: unknown, common: SshAccess): HostPlan {
  if (typeof given === "string") return { target: splitTarget(given), access: common };
  if (typeof given !== "object" || given === null) throw bad(`${name} is no SSH host: ${JSON.stringify(given)}`);
  known(name, given, ["host", ...ACCESS]);
  const { host, ...own } = given as SshHostOptions;
  if (typeof host !== "string") throw bad(`${name} has no host`);
  checkAccess(`${name}.`, own);
  return { target: splitTarget(host), access: { ...common, ...own } };
}

function checkAccess(where: string, { user, port, key, passphrase, password, jump }: SshAccess): void {
  if (user !== undefined && (typeof user !== "string" || !/^[^\s@:-][^\s@:]*$/.test(user)))
    throw bad(`${where}user must be an account's name; got ${JSON.stringify(user)}`);
  if (port !== undefined && !(Number.isInteger(port) && port >= 1 && port <= 65_535))
    throw bad(`${where}port must be a whole number from 1 to 65535; got ${JSON.stringify(port)}`);
  if (key !== undefined && typeof key !== "string" && !(key instanceof Uint8Array))
    throw bad(`${where}key is a path or the key's bytes`);
  // The values stay out of the errors.
  if (passphrase !== undefined && typeof passphrase !== "string") throw bad(`${where}passphrase is a text`);
  if (password !== undefined && typeof password !== "string") throw bad(`${where}password is a text`);
  if (jump === undefined || jump === "none") return;
  for (const one of jumpsOf(jump)) {
    if (typeof one !== "string") {
      hostPlan(`${where}jump`, one, {});
      continue;
    }
    try {
      splitTarget(one);
    } catch (cause) {
      throw bad(`${where}jump: ${(cause as Error).message}`, cause);
    }
  }
}

/** The hosts to go through, one by one. */
export function jumpsOf(jump: SshAccess["jump"]): readonly SshJump[] {
  if (typeof jump === "string") return jump.split(",").map((one) => one.trim());
  return Array.isArray(jump) ? (jump as readonly SshJump[]) : jump === undefined ? [] : [jump as SshHostOptions];
}

function known(what: string, given: object, names: readonly string[]): void {
  const unknown = Object.keys(given).find((name) => !names.includes(name));
  if (unknown === undefined) return;
  const same = /^(?:identity_?file|private_?key|ssh_?key)$/i.test(unknown) ? '; it is called "key"' : "";
  const near = same || didYouMean(unknown, names) || `; there are ${names.join(", ")}`;
  throw bad(`${what === "ssh" ? "" : `${what}: `}there is no option "${unknown}"${near}`);
}

function bad(message: string, cause?: unknown): SkyError {
  return new SkyError("SKY_BAD_OPTION", `ssh: ${message}`, { hint: EXAMPLE, cause });
}
