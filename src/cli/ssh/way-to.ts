import { hostPlans } from "../../providers/ssh/options.ts";
import { routeTo } from "../../providers/ssh/route.ts";
import type { SshOptions } from "../../ssh/connection.ts";
import { readSshConfig } from "../../ssh/config/ssh-config.ts";

export interface WayFlags {
  readonly key?: string;
  readonly knownHosts?: string;
  readonly jump?: string;
}

/**
 * All that a connection to one host needs.
 * @param login false: nothing to log in with is fine
 * @throws SkyError SKY_BAD_OPTION, SKY_SSH_AUTH
 */
export async function wayTo(host: string, { key, knownHosts, jump }: WayFlags, login: boolean): Promise<SshOptions> {
  const access = {
    ...(key === undefined ? {} : { key }),
    ...(jump === undefined ? {} : { jump }),
    ...(login ? {} : { password: "" }),
  };
  const [plan] = hostPlans({ hosts: [{ host, ...access }] });
  const way = await routeTo(plan!, { config: await readSshConfig(undefined), knownHosts });
  return login ? way : { ...way, identities: [] };
}
