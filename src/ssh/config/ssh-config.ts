import { readFile } from "node:fs/promises";
import { homedir, hostname, userInfo } from "node:os";
import { dirname, join } from "node:path";
import { SkyError } from "../../errors/sky-error.ts";
import { holds, isFinal, type Known } from "./conditions.ts";
import { type Block, type Directive, directivesOf, homePath } from "./directives.ts";

/** What OpenSSH's configuration says of one host, as far as it is ours to follow. */
export interface HostSettings {
  readonly hostName?: string;
  readonly user?: string;
  readonly port?: number;
  readonly identityFiles: readonly string[];
  /** Only the named keys, not the others that an agent holds. */
  readonly identitiesOnly: boolean;
  /** A socket; "none" is no agent. */
  readonly identityAgent?: string;
  /** Comma-separated, the first to be reached first; "none" is none. */
  readonly proxyJump?: string;
  readonly proxyCommand?: string;
  /** The name under which the host's key is on file. */
  readonly hostKeyAlias?: string;
  readonly knownHostsFiles: readonly string[];
}

/** What a call says of a host, which goes before what a configuration says. */
export interface GivenSettings {
  readonly user?: string | undefined;
  readonly port?: number | undefined;
}

/** Looks a host up as `ssh` would. */
export type SshConfig = (alias: string, given?: GivenSettings) => HostSettings;

/**
 * Reads OpenSSH's configuration of this user.
 * @param file @default `~/.ssh/config`, then `/etc/ssh/ssh_config`, as far as they are; false: none
 * @throws SkyError SKY_BAD_OPTION where the named file can't be read
 */
export async function readSshConfig(file: string | false | undefined): Promise<SshConfig> {
  const directives = file === false ? [] : await read(file);
  return (alias, given = {}) => settings(directives, alias, given);
}

async function read(file: string | undefined): Promise<readonly Directive[]> {
  if (file !== undefined) {
    const path = homePath(file);
    try {
      return await directivesOf(await readFile(path, "utf8"), dirname(path));
    } catch (cause) {
      throw new SkyError("SKY_BAD_OPTION", `ssh: config: ${path} can't be read`, { cause });
    }
  }
  const places = [join(homedir(), ".ssh/config"), "/etc/ssh/ssh_config"];
  const all = places.map(async (path) => directivesOf(await readFile(path, "utf8").catch(() => ""), dirname(path)));
  return (await Promise.all(all)).flat();
}

/** Of two lines for one setting the first counts, but all keys are tried. */
function settings(directives: readonly Directive[], alias: string, given: GivenSettings): HostSettings {
  const values = new Map<string, Directive>();
  const keys: string[] = [];
  const localUser = userInfo().username;
  const one = (name: string): string | undefined => values.get(name)?.words[0];
  const expand = (text: string): string => {
    const hostName = one("hostname")?.replaceAll(/%([%h])/g, (_, letter) => (letter === "h" ? alias : "%")) ?? alias;
    const here = hostname();
    const tokens: Readonly<Record<string, string>> = {
      "%": "%",
      d: homedir(),
      h: hostName,
      i: String(userInfo().uid),
      k: one("hostkeyalias") ?? alias,
      L: here.split(".")[0]!,
      l: here,
      n: alias,
      p: String(given.port ?? one("port") ?? 22),
      r: given.user ?? one("user") ?? localUser,
      u: localUser,
    };
    return text.replaceAll(/%([%dhikLlnpru])/g, (_, letter: string) => tokens[letter]!);
  };
  const known = (final: boolean): Known => ({
    alias,
    hostName: expand("%h"),
    user: expand("%r"),
    localUser,
    final,
    expand,
  });
  const pass = (final: boolean): void => {
    const held = new Map<Block, boolean>();
    const isInside = (block: Block): boolean => {
      if (!held.has(block)) held.set(block, holds(block, known(final)));
      return held.get(block)!;
    };
    for (const directive of directives) {
      if (!directive.within.every(isInside)) continue;
      if (directive.name === "identityfile") keys.push(...directive.words);
      else if (!values.has(directive.name)) values.set(directive.name, directive);
    }
  };
  pass(false);
  if (directives.some(({ within }) => within.some(isFinal))) pass(true);
  const path = (text: string): string =>
    homePath(expand(text.replaceAll(/\$\{(\w+)\}/g, (whole, name: string) => process.env[name] ?? whole)));
  const port = Number(one("port"));
  const agent = one("identityagent");
  const command = values.get("proxycommand")?.text;
  // Of a jump and a command, too, the first counts.
  const ways = [...values.keys()].filter((name) => name === "proxycommand" || name === "proxyjump");
  const jump = ways[0] === "proxycommand" && command !== "none" ? undefined : one("proxyjump");
  const rest = {
    hostName: values.has("hostname") ? expand("%h") : undefined,
    user: one("user"),
    port: Number.isInteger(port) && port > 0 ? port : undefined,
    identityAgent: agent === undefined ? undefined : agentSocket(agent, path),
    proxyJump: jump === "none" && command !== undefined ? undefined : jump,
    proxyCommand: command,
    hostKeyAlias: one("hostkeyalias"),
  };
  return {
    ...(Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined)) as Partial<HostSettings>),
    identityFiles: [...new Set(keys)].filter((key) => key !== "none").map(path),
    identitiesOnly: one("identitiesonly")?.toLowerCase() === "yes",
    knownHostsFiles: (values.get("userknownhostsfile")?.words ?? []).map(path),
  };
}

/** It may be the name of a variable, too. */
function agentSocket(value: string, path: (text: string) => string): string | undefined {
  if (value === "none") return value;
  if (value === "SSH_AUTH_SOCK") return undefined;
  return /^\$\w+$/.test(value) ? process.env[value.slice(1)] : path(value);
}
