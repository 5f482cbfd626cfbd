import { didYouMean } from "../../errors/nearest.ts";
import { SkyError } from "../../errors/sky-error.ts";

export interface ContainerOptions {
  /** The image, with or without an sshd; Debian, Alpine and Fedora based ones get one where they lack it. @default "debian:12" */
  readonly image?: string;
  /** A network of the engine that is there already, in which each container has an address. @default the engine's own */
  readonly network?: string;
  /** Of each node, enforced. @default as many as this computer has */
  readonly vcpus?: number;
  /** Of each node, enforced, in GB. @default as much as this computer has */
  readonly memoryGb?: number;
  /** The engine's command: "docker", "podman", or a path. @default "docker" */
  readonly binary?: string;
}

export interface ResolvedContainer {
  readonly image: string;
  readonly network: string | undefined;
  readonly vcpus: number | undefined;
  readonly memoryGb: number | undefined;
  readonly binary: string;
}

const NAMES: readonly string[] = [
  "image",
  "network",
  "vcpus",
  "memoryGb",
  "binary",
] satisfies (keyof ContainerOptions)[];

/** @throws SkyError SKY_BAD_OPTION */
export function resolveContainer(given: ContainerOptions): ResolvedContainer {
  if (typeof given !== "object" || given === null) throw bad("options", "an object", given);
  const unknown = Object.keys(given).find((name) => !NAMES.includes(name));
  if (unknown !== undefined) {
    const hint = didYouMean(unknown, NAMES) || `; there are ${NAMES.join(", ")}.`;
    throw new SkyError("SKY_BAD_OPTION", `container has no option "${unknown}"${hint}`);
  }
  return {
    image: word("image", given.image) ?? "debian:12",
    network: network(given.network),
    vcpus: amount("vcpus", given.vcpus, 0.01),
    memoryGb: amount("memoryGb", given.memoryGb, 0.128),
    binary: word("binary", given.binary) ?? "docker",
  };
}

/** It becomes a word of a command, which must not read it as an option. */
function word(name: string, value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value === "string" && /^[\w/.][^\s]*$/.test(value)) return value;
  throw bad(name, "a name", value);
}

/** Each node needs an address and an sshd of its own. */
function network(value: unknown): string | undefined {
  const name = word("network", value);
  if (name === undefined || !/^(host|none)$|^(container|ns):/.test(name)) return name;
  throw bad("network", "a network in which each container has an address of its own", name);
}

function amount(name: string, value: unknown, least: number): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value === "number" && value >= least && Number.isFinite(value)) return value;
  throw bad(name, `a number of at least ${least}`, value);
}

function bad(name: string, wanted: string, value: unknown): SkyError {
  return new SkyError("SKY_BAD_OPTION", `container: ${name} must be ${wanted}; got ${JSON.stringify(value)}`);
}
