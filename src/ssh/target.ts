import { userInfo } from "node:os";
import { SkyError } from "../errors/sky-error.ts";

/** Where an SSH connection goes, and as whom. */
export interface SshTarget {
  readonly user: string;
  readonly host: string;
  readonly port: number;
}

const SHAPE = /^(?:([^@\s:[\]]+)@)?(?:\[([0-9A-Fa-f:.%\w]+)\]|([^\s@:[\]/]+))(?::(\d{1,5}))?$/;

/**
 * Reads "user@host:port"; user (the own one) and port (22) may be left out, an IPv6 address stands in brackets.
 * @throws SkyError SKY_BAD_OPTION
 */
export function parseTarget(text: string): SshTarget {
  const match = typeof text === "string" ? SHAPE.exec(text) : null;
  const port = match?.[4] === undefined ? 22 : Number(match[4]);
  const host = match?.[2] ?? match?.[3];
  // A leading dash would be an option to any program that is given the name.
  if (host === undefined || host.startsWith("-") || match?.[1]?.startsWith("-") === true || port < 1 || port > 65_535) {
    throw new SkyError("SKY_BAD_OPTION", `${JSON.stringify(text)} is no SSH host`, {
      hint: 'Write hosts as "user@host:port", "host" or "user@[2001:db8::1]:22".',
    });
  }
  return { user: match?.[1] ?? userInfo().username, host, port };
}

/** "user@host:port", with brackets where needed. */
export function targetName({ user, host, port }: SshTarget): string {
  return `${user}@${host.includes(":") ? `[${host}]` : host}:${port}`;
}
