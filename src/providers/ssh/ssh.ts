import { SkyError } from "../../errors/sky-error.ts";
import { readSshConfig } from "../../ssh/config/ssh-config.ts";
import type { Provider } from "../provider.ts";
import { type AgentProgram, readAgent } from "./agent-program.ts";
import { SshHost } from "./host.ts";
import { parseKeptAgent } from "./kept-agent.ts";
import { SshMachine } from "./machine.ts";
import { type HostPlan, hostPlans, type SshProviderOptions } from "./options.ts";
import { routeTo, type Surroundings } from "./route.ts";

export interface SshInternals {
  /** The agent's program. @default the bundled agent */
  readonly agent?: string;
}

interface Prepared extends Surroundings {
  readonly agent: AgentProgram;
}

/**
 * Machines that are there already and reached by SSH: borrowed, never ended.
 * @throws SkyError SKY_BAD_OPTION; keys and OpenSSH's files are read when the first node is provisioned
 */
export function ssh(options: SshProviderOptions, internals: SshInternals = {}): Provider {
  const plans = hostPlans(options);
  const hosts = new Map<string, SshHost>();
  const prepare = retried(async (): Promise<Prepared> => {
    const [config, agent] = await Promise.all([readSshConfig(options.config), readAgent(internals.agent)]);
    return { config, agent, knownHosts: options.knownHosts };
  });
  const routes = new Map(plans.map((plan) => [plan, retried(async () => routeTo(plan, await prepare()))]));
  const hostOf = async (plan: HostPlan): Promise<SshHost> => {
    const [route, { agent }] = await Promise.all([routes.get(plan)!(), prepare()]);
    // The same address behind another jump host is another machine.
    const way = JSON.stringify(plan);
    const host = hosts.get(way) ?? new SshHost(route, agent);
    hosts.set(way, host);
    return host;
  };
  return {
    name: "ssh",
    trust: "ours",
    selfEnd: "none",
    capacity: () => plans.length,
    keeping: {
      mismatch: (kept) => {
        if (kept.provider !== "ssh") return `it is a machine of ${kept.provider}`;
        return parseKeptAgent(kept.data["agent"]) ? undefined : "another version of skyward has left it";
      },
      adopt: async (kept, { rank, onPhase }, signal) => {
        signal.throwIfAborted();
        const host = await hostOf(plans[rank % plans.length]!);
        if (host.name !== kept.name)
          throw new SkyError("SKY_SSH_CONNECT", `node ${rank} was on ${kept.name}, and is on ${host.name} now`);
        onPhase?.("connect");
        const agent = parseKeptAgent(kept.data["agent"]);
        return new SshMachine(host, await host.connect(signal, false), { onPhase, kept: agent });
      },
    },
    provision: async ({ rank, onPhase }, signal) => {
      signal.throwIfAborted();
      const host = await hostOf(plans[rank % plans.length]!);
      onPhase?.("connect");
      return new SshMachine(host, await host.connect(signal, false), { onPhase });
    },
  };
}

/** Made once; what was missing may be there at the next try. */
function retried<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make().catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    return made;
  };
}
