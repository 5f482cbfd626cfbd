import { buildCommand, buildRouteMap } from "@stricli/core";
import { ssh as shell } from "../pools/commands.ts";
import type { WayFlags } from "./way-to.ts";

const host = { brief: '"user@host:port", or a name of ~/.ssh/config', parse: String, placeholder: "host" };
const file = { kind: "parsed", parse: String, optional: true, placeholder: "file" } as const;
const wayFlags = {
  key: { ...file, brief: "The private key to log in with" },
  knownHosts: { ...file, brief: "The file with the hosts' keys" },
  jump: { ...file, placeholder: "host", brief: "The host to go through, or several with commas between" },
} as const;

export interface TrustFlags extends WayFlags {
  readonly yes: boolean;
}

/** `sky ssh trust host` */
const trust = buildCommand({
  loader: async () => (await import("./trust.ts")).trustCommand,
  parameters: {
    flags: {
      ...wayFlags,
      yes: { kind: "boolean", default: false, withNegated: false, brief: "Add it without asking" },
    },
    positional: { kind: "tuple", parameters: [host] },
    aliases: { y: "yes" },
  },
  docs: {
    brief: "Add a host's key to known_hosts, or put it in the place of another",
    fullDescription: `Shows the fingerprint that the host has now, and the one that is on file, and asks. Nothing else is sent to it.

Examples:
  sky ssh trust me@build
  sky ssh trust me@build --yes`,
  },
});

export type CleanFlags = WayFlags;

/** `sky ssh clean host` */
const clean = buildCommand({
  loader: async () => (await import("./clean.ts")).cleanCommand,
  parameters: { flags: wayFlags, positional: { kind: "tuple", parameters: [host] } },
  docs: {
    brief: "Remove what pools have left in a host's cache",
    fullDescription: `The agent, Node, uv, Python environments, packages and files, all in ~/.cache/skyward. The next pool brings what it needs.

Examples:
  sky ssh clean me@build`,
  },
});

/** `sky ssh [pool] [rank]`, `sky ssh trust`, `sky ssh clean` */
export const ssh = buildRouteMap({
  routes: { shell, trust, clean },
  defaultCommand: "shell",
  docs: {
    brief: "Open a shell on a node of an open pool; trust or clean a host",
    fullDescription: `sky ssh [pool] [rank] opens a shell on a node of an open pool, on the head where no rank is given; sky ssh shell --help says more.

Examples:
  sky ssh
  sky ssh train 2`,
    hideRoute: { shell: true },
  },
});
