import { agentFile } from "../../agent/locate.ts";
import { isNode } from "../../image/node-choice.ts";
import { SkyError } from "../../errors/sky-error.ts";
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
    atHome: true,
    checkImage: ({ apt, node }) => {
      if (node !== undefined && node !== "machine" && !isNode(process.versions.node, node))
        throw new SkyError("SKY_BAD_OPTION", `image.node is "${node}", and sky.local() has this program's own Node`, {
          hint: `That is ${process.versions.node}: start the program with another one, or leave image.node out.`,
        });
      if (apt.length === 0) return;
      throw new SkyError("SKY_BAD_OPTION", "image.apt would change this computer: sky.local() installs nothing here", {
        hint: `Install it yourself (apt-get install ${apt.join(" ")}), or take machines of their own: sky.container().`,
      });
    },
    provision: async ({ rank, onPhase }, signal) => {
      signal.throwIfAborted();
      return new LocalMachine(rank, agent ?? agentFile(), onPhase);
    },
  };
}
