import { SkyError } from "../../errors/sky-error.ts";
import type { CloudProvider, Instance, Offer } from "../cloud-provider.ts";

const CALLS = ["offers", "prepare", "provision", "list", "describe", "terminate", "teardown"] as const;
const TRUSTS = ["ours", "stranger"];
const SELF_ENDS = ["os", "scoped-token", "none"];
const STATES = ["starting", "running", "ending"];
const TAGS = ["owner", "controller", "pool", "intent", "ttl"];

/** @throws SkyError SKY_BAD_OPTION what a provider lacks, before it is asked for anything */
export function checkProvider(cloud: CloudProvider): void {
  const { name, trust, selfEnd, reference } = cloud as Partial<CloudProvider>;
  const refuse = (what: string): never => {
    throw new SkyError("SKY_BAD_OPTION", `provider ${shown(name)}: ${what}`, {
      hint: "docs/providers.md says what a provider has.",
    });
  };
  if (!isText(name)) refuse("name must be a text");
  for (const call of CALLS) if (typeof cloud[call] !== "function") refuse(`it has no call "${call}"`);
  if (!TRUSTS.includes(trust!)) refuse(`trust must be "ours" or "stranger"; got ${shown(trust)}`);
  if (!SELF_ENDS.includes(selfEnd!)) refuse(`selfEnd must be "os", "scoped-token" or "none"; got ${shown(selfEnd)}`);
  if (!isObject(reference) || !isText(reference["name"]) || !isObject(reference["options"]))
    refuse(`reference must be { name, options }, plain data; got ${shown(reference)}`);
}

/** What is wrong with an offer, in words. */
export function offerFault(given: unknown): string | undefined {
  const { id, vcpus, memoryGb, price } = (given ?? {}) as Partial<Offer>;
  if (isText(id) && [vcpus, memoryGb, price].every((one) => isAmount(one))) return undefined;
  return `an offer is { id, vcpus, memoryGb, price }; it gave ${shown(given)}`;
}

/** What is wrong with a machine, in words. */
export function instanceFault(given: unknown): string | undefined {
  if (!isObject(given)) return `a machine is { id, name, tags, state, createdAt }; it gave ${shown(given)}`;
  const { id, name, tags, state, createdAt, login } = given as Partial<Instance>;
  if (!isText(id) || !isText(name)) return `a machine has an id and a name, both texts; it gave ${shown(given)}`;
  if (!isObject(tags) || !TAGS.every((tag) => typeof tags[tag] === "string"))
    return `machine ${name} must have the tags of its intent; it has ${shown(tags)}`;
  if (!STATES.includes(state!))
    return `machine ${name} must be "starting", "running" or "ending"; it is ${shown(state)}`;
  if (!isAmount(createdAt)) return `machine ${name}: createdAt is in ms since the epoch; it is ${shown(createdAt)}`;
  if (login === undefined) return undefined;
  if (!isObject(login) || !isText(login["host"]) || !isText(login["user"]) || !Number.isInteger(login["port"]))
    return `machine ${name}: login is { host, port, user }; it is ${shown(login)}`;
  return undefined;
}

/** A value in a message, cut to one short line. */
export function shown(value: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch {
    // As good as it gets.
  }
  text ??= String(value);
  return text.length > 100 ? `${text.slice(0, 100)}...` : text;
}

const isText = (value: unknown): value is string => typeof value === "string" && value !== "";
const isAmount = (value: unknown): boolean => typeof value === "number" && Number.isFinite(value) && value >= 0;
const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
