import { userInfo } from "node:os";
import { SkyError } from "../errors/sky-error.ts";

/** Where an SSH connection goes, and as whom. */
export interface SshTarget {
  readonly user: string;
  readonly host: string;
  readonly port: number;
}

const SHAPE = /^(?:([^@\s:[\]]+)@)?(?:\[([\w:.%-]+)\]|([^\s@:[\]/]+))(?::(\d{1,5}))?$/;

/** What is left out of a target is for the configuration to say. */
export type GivenTarget = Pick<SshTarget, "host"> & Partial<SshTarget>;

/** Reads "user@host:port" as `splitTarget`; without a user it is the own one, without a port 22. */
export function parseTarget(text: string): SshTarget {
  return { user: userInfo().username, port: 22, ...splitTarget(text) };
}

/**
 * Reads "user@host:port"; user and port may be left out, an IPv6 address stands in brackets.
 * @throws SkyError SKY_BAD_OPTION
 */
export function splitTarget(text: string): GivenTarget {
  const match = typeof text === "string" ? SHAPE.exec(text) : null;
  const port = match?.[4] === undefined ? 22 : Number(match[4]);
  const host = match?.[2] ?? match?.[3];
  // A leading dash would be an option to any program that is given the name.
  if (host === undefined || host.startsWith("-") || match?.[1]?.startsWith("-") === true || port < 1 || port > 65_535) {
    throw new SkyError("SKY_BAD_OPTION", `${JSON.stringify(text)} is no SSH host`, {
      hint: 'Write hosts as "user@host:port", "host" or "user@[2001:db8::1]:22".',
    });
  }
  return {
    host,
    ...(match?.[1] === undefined ? {} : { user: match[1] }),
    ...(match?.[4] === undefined ? {} : { port }),
  };
}

/** "user@host:port", with brackets where needed. */
export function targetName({ user, host, port }: SshTarget): string {
  return `${user}@${host.includes(":") ? `[${host}]` : host}:${port}`;
}
