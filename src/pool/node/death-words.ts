import type { HostDeath } from "../../agent/control.ts";
import type { NodeNews } from "./node-news.ts";
import { SkyError } from "../../errors/sky-error.ts";

/** Why what a host had is gone. */
export function deathWords(death: HostDeath | undefined): string {
  if (death === undefined) return "the process that ran it was replaced";
  if (death.outOfMemory) return "the process that ran it was killed: its machine had no memory left";
  const line = lastWords(death.stderr);
  return `the process that ran it ended (${death.signal ?? `exit code ${death.code}`})${line ? `: ${line}` : ""}`;
}

/** Another process has taken the place of one that died. */
export function hostReplaced(node: number, generation: number, { signal, code, stderr }: HostDeath): NodeNews {
  return { type: "Node.HostReplaced", node, generation, signal, exitCode: code, stderr, tasks: 0 };
}

/** A link that was lost while a node came up: where its host died, that is why. */
export function whyLost(error: unknown, death: HostDeath | undefined, machine: string): unknown {
  if (death === undefined || !(error instanceof SkyError) || error.code !== "SKY_LINK_LOST") return error;
  const how = death.signal ?? `exit code ${death.code}`;
  const message = `the agent of ${machine} could not start its host (${how}): ${lastWords(death.stderr)}`;
  return new SkyError("SKY_AGENT_FAILED", message, { cause: error, details: { machine, stderr: death.stderr } });
}

/** Node says behind an error where it was and which Node it is. */
function lastWords(stderr: string): string | undefined {
  const lines = stderr.trimEnd().split("\n");
  return lines.findLast((line) => /^[A-Za-z]*Error\b/.test(line)) ?? lines.at(-1);
}
