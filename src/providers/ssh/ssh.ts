import { SkyError } from "../../errors/sky-error.ts";
import { type Identity, type IdentityOptions, loadIdentities } from "../../ssh/identity.ts";
import { KnownHosts } from "../../ssh/known-hosts.ts";
import { parseTarget, targetName } from "../../ssh/target.ts";
import type { Provider } from "../provider.ts";
import { type AgentProgram, readAgent } from "./agent-program.ts";
import { SshHost } from "./host.ts";
import { SshMachine } from "./machine.ts";

export interface SshProviderOptions extends IdentityOptions {
  /** "user@host:port"; user and port may be left out. Node `i` runs on `hosts[i % hosts.length]`. */
  readonly hosts: readonly string[];
  /** The file with the hosts' keys. @default `~/.ssh/known_hosts` and `/etc/ssh/ssh_known_hosts` */
  readonly knownHosts?: string;
}

export interface SshInternals {
  /** The agent's program. @default the bundled agent */
  readonly agent?: string;
}

const OPTIONS: readonly string[] = ["hosts", "key", "passphrase", "knownHosts"] satisfies (keyof SshProviderOptions)[];

interface Prepared {
  readonly identities: readonly Identity[];
  readonly knownHosts: KnownHosts;
  readonly agent: AgentProgram;
}

/**
 * Machines that are there already and reached by SSH.
 * @throws SkyError SKY_BAD_OPTION; files are read when the first node is provisioned
 */
export function ssh(options: SshProviderOptions, internals: SshInternals = {}): Provider {
  const targets = check(options).hosts.map(parseTarget);
  const hosts = new Map<string, SshHost>();
  let prepared: Promise<Prepared> | undefined;
  const prepare = async (): Promise<Prepared> => {
    const [identities, knownHosts, agent] = await Promise.all([
      loadIdentities(options),
      KnownHosts.read(options.knownHosts),
      readAgent(internals.agent),
    ]);
    return { identities, knownHosts, agent };
  };
  return {
    name: "ssh",
    trust: "ours",
    selfEnd: "none",
    capacity: () => targets.length,
    provision: async ({ rank, onPhase }, signal) => {
      signal.throwIfAborted();
      prepared ??= prepare();
      // What was missing may be there at the next try.
      const { agent, ...access } = await prepared.catch((error: unknown) => {
        prepared = undefined;
        throw error;
      });
      const target = targets[rank % targets.length]!;
      const name = targetName(target);
      const host = hosts.get(name) ?? new SshHost({ target, ...access }, agent);
      hosts.set(name, host);
      onPhase?.("connect");
      return new SshMachine(host, await host.connect(signal, false), onPhase);
    },
  };
}

function check(options: SshProviderOptions): SshProviderOptions {
  const bad = (message: string): SkyError => new SkyError("SKY_BAD_OPTION", `ssh: ${message}`, { hint: EXAMPLE });
  if (typeof options !== "object" || options === null) throw bad("options are missing");
  const unknown = Object.keys(options).find((name) => !OPTIONS.includes(name));
  if (unknown !== undefined) throw bad(`there is no option "${unknown}"; there are ${OPTIONS.join(", ")}`);
  const { hosts, key, passphrase, knownHosts } = options;
  if (!Array.isArray(hosts) || hosts.length === 0) throw bad("hosts must name at least one host");
  if (key !== undefined && typeof key !== "string" && !(key instanceof Uint8Array))
    throw bad("key is a path or the key's bytes");
  if (passphrase !== undefined && typeof passphrase !== "string") throw bad("passphrase is a string");
  if (knownHosts !== undefined && typeof knownHosts !== "string") throw bad("knownHosts is the path of a file");
  return options;
}

const EXAMPLE = 'For example: ssh({ hosts: ["me@build:22"], key: "~/.ssh/id_ed25519" }).';
