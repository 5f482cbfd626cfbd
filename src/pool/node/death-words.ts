import type { HostDeath } from "../../agent/control.ts";
import type { NodeNews } from "./node-news.ts";

/** Why what a host had is gone. */
export function deathWords(death: HostDeath | undefined): string {
  if (death === undefined) return "the process that ran it was replaced";
  const line = death.stderr.trimEnd().split("\n").at(-1);
  return `the process that ran it ended (${death.signal ?? `exit code ${death.code}`})${line ? `: ${line}` : ""}`;
}

/** Another process has taken the place of one that died. */
export function hostReplaced(node: number, generation: number, { signal, code, stderr }: HostDeath): NodeNews {
  return { type: "Node.HostReplaced", node, generation, signal, exitCode: code, stderr, tasks: 0 };
}
