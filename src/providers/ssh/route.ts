import { userInfo } from "node:os";
import type { SshOptions } from "../../ssh/connection.ts";
import { type IdentityOptions, loadIdentities } from "../../ssh/identity.ts";
import { KnownHosts } from "../../ssh/known-hosts.ts";
import { throughCommand, throughHost } from "../../ssh/proxy.ts";
import type { SshConfig } from "../../ssh/config/ssh-config.ts";
import type { GivenTarget } from "../../ssh/target.ts";
import { hostPlan, type HostPlan, jumpsOf, type SshAccess } from "./options.ts";

/** A chain of jumps that leads back to itself ends here. */
const JUMPS_MAX = 8;

export interface Surroundings {
  readonly config: SshConfig;
  /** The file with the hosts' keys, where one was named. */
  readonly knownHosts: string | undefined;
}

/**
 * All that a connection to a host needs: what was given, else what the configuration says, else the usual.
 * @throws SkyError SKY_BAD_OPTION, SKY_SSH_AUTH
 */
export function routeTo({ target, access }: HostPlan, around: Surroundings): Promise<SshOptions> {
  return route(target, access, around, access.jump, 0);
}

async function route(
  given: GivenTarget,
  access: IdentityOptions & Pick<SshAccess, "user" | "port">,
  around: Surroundings,
  jump: SshAccess["jump"],
  depth: number,
): Promise<SshOptions> {
  const said = around.config(given.host, {
    user: given.user ?? access.user,
    port: given.port ?? access.port,
  });
  const target = {
    host: said.hostName ?? given.host,
    user: given.user ?? access.user ?? said.user ?? userInfo().username,
    port: given.port ?? access.port ?? said.port ?? 22,
  };
  const usual = said.knownHostsFiles.length > 0 ? said.knownHostsFiles : undefined;
  const [identities, knownHosts, way] = await Promise.all([
    loadIdentities(access, {
      files: said.identityFiles,
      agent: said.identityAgent,
      only: said.identitiesOnly,
    }),
    around.knownHosts === undefined && usual !== undefined
      ? KnownHosts.readAll(usual)
      : KnownHosts.read(around.knownHosts),
    wayOf(jump ?? said.proxyJump, said.proxyCommand, access, around, depth),
  ]);
  return { target, identities, knownHosts, way, hostKeyAlias: said.hostKeyAlias };
}

async function wayOf(
  jump: SshAccess["jump"],
  command: string | undefined,
  access: IdentityOptions,
  around: Surroundings,
  depth: number,
): Promise<SshOptions["way"]> {
  const hosts = jumpsOf(jump);
  const last = hosts.at(-1);
  if (last !== undefined && last !== "none" && depth < JUMPS_MAX) {
    const before = hosts.slice(0, -1);
    // The keys that open the host may open the one before it; its user and password are its own.
    const plan = hostPlan("jump", last, keysOf(access));
    const onward = before.length > 0 ? before : plan.access.jump;
    return throughHost(await route(plan.target, plan.access, around, onward, depth + 1));
  }
  return last === undefined && command !== undefined && command !== "none" ? throughCommand(command) : undefined;
}

function keysOf({ key, passphrase }: IdentityOptions): IdentityOptions {
  return { ...(key === undefined ? {} : { key }), ...(passphrase === undefined ? {} : { passphrase }) };
}
