import { createHash } from "node:crypto";
import type { AgentConfig, ProcessIdentity } from "../../agent/config.ts";
import type { LinkKey } from "../provider.ts";

/** An agent that waits for the next run, and what lets one in. */
export interface KeptAgent extends LinkKey {
  /** Its run directory. */
  readonly dir: string;
  /** Paths of Node and of the agent's program. */
  readonly node: string;
  readonly agent: string;
  readonly supervisor: ProcessIdentity;
  /** Hash of its configuration and program. */
  readonly likeness: string;
}

/** What each run has of its own. */
const OWN = new Set(["token", "epoch", "dir", "leftover"]);

/** What makes an agent the one that a run needs: its configuration, its program, its Node. */
export function likenessOf(config: AgentConfig, program: unknown): string {
  const sorted = (of: object): [string, unknown][] =>
    Object.entries(of).sort(([one], [other]) => (one < other ? -1 : 1));
  const common = Object.entries(config).filter(([name]) => !OWN.has(name));
  const whole = JSON.stringify([program, sorted({ ...Object.fromEntries(common), env: sorted(config.env) })]);
  return createHash("sha256").update(whole).digest("hex");
}

/** A newer controller's key: its epoch ends what links there are. */
export function keyFor({ token, epoch }: LinkKey, own: LinkKey): LinkKey {
  return { token, epoch: Math.max(own.epoch, epoch + 1) };
}

/** @returns undefined for data that another version wrote */
export function parseKeptAgent(value: unknown): KeptAgent | undefined {
  const { dir, node, agent, supervisor, token, epoch, likeness } = (value ?? {}) as Partial<KeptAgent>;
  const texts = [dir, node, agent, token, likeness].every((text) => typeof text === "string" && text !== "");
  if (!texts || !Number.isSafeInteger(epoch) || !Number.isSafeInteger(supervisor?.pid)) return undefined;
  return value as KeptAgent;
}
