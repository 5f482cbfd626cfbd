import type { KeyPair } from "../../ssh/key-pair.ts";
import type { CloudProvider, Login, Tags } from "../cloud-provider.ts";
import type { KeptMachine } from "../provider.ts";
import { type KeptAgent, parseKeptAgent } from "../ssh/kept-agent.ts";

/** What the machines of a pool are like: only those that are alike take each other's place. */
export interface Likeness {
  readonly provider: string;
  /** The provider's options. */
  readonly shape: string;
  readonly environment: string;
}

/** A created machine that waits for the next run, as it is written down. */
export interface KeptCreated {
  readonly id: string;
  readonly tags: Tags;
  readonly ttlS: number;
  readonly login: Login;
  /** The host key that it was given. */
  readonly hostKey: string;
  readonly address: string;
  /** Who may log in. */
  readonly key: KeyPair;
  readonly like: Likeness;
  readonly agent: KeptAgent;
}

export function likenessOf(cloud: CloudProvider, environment: string): Likeness {
  return { provider: cloud.name, shape: cloud.shape ?? JSON.stringify(cloud.reference), environment };
}

/** Why a kept machine does not fit, in words. */
export function mismatchOf(kept: KeptMachine, like: Likeness): string | undefined {
  if (kept.provider !== like.provider) return `it is a machine of ${kept.provider}`;
  const created = parseKept(kept);
  if (created === undefined) return "another version of skyward has left it";
  if (created.like.shape !== like.shape) return `the options of ${like.provider} are others`;
  if (created.like.environment !== like.environment) return "the image is another";
  return undefined;
}

export function parseKept({ data }: KeptMachine): KeptCreated | undefined {
  const { id, tags, login, hostKey, key, like, agent } = data as Partial<KeptCreated>;
  const whole = typeof id === "string" && typeof hostKey === "string" && [tags, login, key, like].every(Boolean);
  return whole && parseKeptAgent(agent) ? (data as unknown as KeptCreated) : undefined;
}
