import { agentFile } from "../../agent/locate.ts";
import type { Provider } from "../provider.ts";
import { LocalMachine } from "./machine.ts";

export interface LocalInternals {
  /** The agent's program. @default the bundled agent */
  readonly agent?: string;
}

/** Nodes on this computer: processes of the user's own Node, one agent each. */
export function local({ agent }: LocalInternals = {}): Provider {
  return {
    name: "local",
    trust: "ours",
    selfEnd: "none",
    provision: async ({ rank, onPhase }, signal) => {
      signal.throwIfAborted();
      return new LocalMachine(rank, agent ?? agentFile(), onPhase);
    },
  };
}
