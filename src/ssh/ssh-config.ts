import { readdir, readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { SkyError } from "../errors/sky-error.ts";

/** What OpenSSH's configuration says of one host, as far as it is ours to follow. */
export interface HostSettings {
  readonly hostName?: string;
  readonly user?: string;
  readonly port?: number;
  readonly identityFiles: readonly string[];
  /** Only the named keys, not those that an agent also holds. */
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

/** Looks a host up as `ssh` would. */
export type SshConfig = (alias: string) => HostSettings;

const INCLUDE_DEPTH_MAX = 16;
const PROXY_COMMAND = /^(\s*proxycommand(?:\s*=\s*|\s+))(.*)$/gim;

/**
 * Reads OpenSSH's configuration of this user.
 * @param file @default `~/.ssh/config`, then `/etc/ssh/ssh_config`, as far as they are; false: none
 * @throws SkyError SKY_BAD_OPTION where the named file can't be read
 */
export async function readSshConfig(file: string | false | undefined): Promise<SshConfig> {
  const text = file === false ? "" : await textOf(file);
  if (text.trim() === "") return () => ({ identityFiles: [], identitiesOnly: false, knownHostsFiles: [] });
  const { default: SSHConfig } = await import("ssh-config");
  const config = SSHConfig.parse(
    text.replaceAll(PROXY_COMMAND, (_, name: string, value: string) => name + pack(value)),
  );
  return (alias) => settings(config.compute(alias, { ignoreCase: true }), alias);
}

async function textOf(file: string | undefined): Promise<string> {
  const home = join(homedir(), ".ssh");
  if (file !== undefined) {
    const path = homePath(file);
    try {
      return await withIncludes(await readFile(path, "utf8"), dirname(path), 0);
    } catch (cause) {
      throw new SkyError("SKY_BAD_OPTION", `ssh: config: ${path} can't be read`, { cause });
    }
  }
  const places = [join(home, "config"), "/etc/ssh/ssh_config"];
  const texts = await Promise.all(
    places.map(async (path) => {
      const text = await readFile(path, "utf8").catch(() => "");
      return withIncludes(text, dirname(path), 0);
    }),
  );
  // What comes first counts; a file must not be ruled by the last block of the one before.
  return texts.filter((text) => text !== "").join("\nHost *\n");
}

/** The library leaves `Include` alone. */
async function withIncludes(text: string, folder: string, depth: number): Promise<string> {
  if (depth > INCLUDE_DEPTH_MAX || !/^\s*include\b/im.test(text)) return text;
  const lines = await Promise.all(
    text.split("\n").map(async (line) => {
      const words = /^\s*include(?:\s*=\s*|\s+)(.*)$/i.exec(line)?.[1];
      if (words === undefined) return line;
      const files = await Promise.all(
        [...words.matchAll(/"([^"]+)"|(\S+)/g)].map(([, a, b]) => expand((a ?? b)!, folder)),
      );
      const texts = files.flat().map(async (path) => {
        const included = await readFile(path, "utf8").catch(() => "");
        return withIncludes(included, folder, depth + 1);
      });
      return (await Promise.all(texts)).join("\n");
    }),
  );
  return lines.join("\n");
}

/** Files that a pattern names; a star in the last part only, as `config.d/*`. */
async function expand(pattern: string, folder: string): Promise<string[]> {
  const path = resolve(folder, homePath(pattern));
  const name = basename(path);
  if (!/[*?]/.test(name)) return [path];
  const shape = new RegExp(
    `^${name
      .replace(/[.+^${}()|[\]\\]/g, "\\$&")
      .replaceAll("*", ".*")
      .replaceAll("?", ".")}$`,
  );
  const names = await readdir(dirname(path)).catch(() => []);
  return names
    .filter((one) => shape.test(one) && !one.startsWith("."))
    .sort()
    .map((one) => join(dirname(path), one));
}

function settings(found: Readonly<Record<string, string | string[]>>, alias: string): HostSettings {
  const one = (name: string): string | undefined => {
    const value = found[name];
    return Array.isArray(value) ? value[0] : value;
  };
  const list = (name: string): string[] => {
    const value = found[name];
    return value === undefined ? [] : Array.isArray(value) ? value : value.split(/\s+/);
  };
  const hostName = one("hostname");
  const port = one("port");
  const rest = {
    hostName: hostName?.replaceAll("%h", alias).replaceAll("%%", "%"),
    user: one("user"),
    port: port === undefined ? undefined : Number(port),
    identityAgent: one("identityagent"),
    proxyJump: one("proxyjump"),
    proxyCommand: commandOf(found["proxycommand"]),
    hostKeyAlias: one("hostkeyalias"),
  };
  return {
    ...(Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined)) as Partial<HostSettings>),
    identityFiles: list("identityfile").map((path) => homePath(path.replaceAll("%d", homedir()))),
    identitiesOnly: one("identitiesonly")?.toLowerCase() === "yes",
    knownHostsFiles: list("userknownhostsfile").map(homePath),
  };
}

function commandOf(value: string | string[] | undefined): string | undefined {
  return value === undefined ? undefined : Buffer.from(String(value), "base64url").toString();
}

/** The library takes a command apart and loses its quotes; as one word it stays whole. */
function pack(command: string): string {
  return Buffer.from(command.trim()).toString("base64url");
}

/** "~/x" below this user's home. */
export function homePath(path: string): string {
  return path.replace(/^~(?=\/|$)/, homedir());
}
