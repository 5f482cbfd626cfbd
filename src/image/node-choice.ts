import { SkyError } from "../errors/sky-error.ts";
import { PINNED_NODES, type PinnedNode } from "./pinned-nodes.ts";

/** A Node that a mirror has. */
export interface MirroredNode {
  readonly kind: "node";
  readonly file: "node";
  readonly executable: true;
  readonly version: string;
  /** Of its archive: `<top>/bin/node` is in it. */
  readonly url: string;
  readonly archiveSha256: string;
  readonly top: string;
}

/** Which Node a machine runs its agent and tasks by. */
export interface NodeChoice {
  /** "24", "24.21" or "24.21.0": the machine's own will do if it is such a one. Undefined: any from 20.19 on. */
  readonly version: string | undefined;
  /** What a machine gets that has none, by "system/architecture" as uname says it. */
  readonly releases: ReadonlyMap<string, PinnedNode | MirroredNode>;
}

/** Any Node that is there; where there is none, the pinned one. */
export const ANY_NODE: NodeChoice = { version: undefined, releases: PINNED_NODES };

const SYSTEMS: readonly (readonly [platform: string, names: readonly string[]])[] = [
  ["linux-x64", ["Linux/x86_64", "Linux/amd64"]],
  ["linux-arm64", ["Linux/aarch64", "Linux/arm64"]],
];
const MIRROR_WAIT_MS = 20_000;

/** Whether a version such as "24.21.0" is one that was asked for by "24", "24.21" or all of it. */
export function isNode(version: string, wanted: string): boolean {
  return `${version}.`.startsWith(`${wanted}.`);
}

/**
 * Finds out where machines get their Node from, before there is one.
 * @param wanted a version, or a beginning of one; "machine" or undefined: what is there
 * @param mirror a site laid out as nodejs.org/dist. @default none: only what is pinned can be sent
 * @param mayHave whether machines may have Node by themselves, so that one that we can't send is no error yet
 * @throws SkyError SKY_BAD_OPTION for a version that nobody has, naming those that can be had
 */
export async function chooseNode(
  wanted: string | undefined,
  mirror: string | undefined,
  mayHave: boolean,
): Promise<NodeChoice> {
  if (wanted === undefined || wanted === "machine") return ANY_NODE;
  if (mirror !== undefined) return fromMirror(wanted, mirror.replace(/\/+$/, ""));
  const releases = new Map([...PINNED_NODES].filter(([, { version }]) => isNode(version, wanted)));
  if (releases.size > 0 || mayHave) return { version: wanted, releases };
  const pinned = [...new Set([...PINNED_NODES.values()].map(({ version }) => version))];
  throw new SkyError("SKY_BAD_OPTION", `image.node is "${wanted}", and there is only ${pinned.join(" and ")} to send`, {
    hint: 'Take "24", or "machine" for what is there, or name a mirror of nodejs.org/dist in SKYWARD_NODE_MIRROR.',
  });
}

async function fromMirror(wanted: string, mirror: string): Promise<NodeChoice> {
  const index = JSON.parse(await read(`${mirror}/index.json`)) as readonly { readonly version: string }[];
  const versions = index.map((one) => one.version.replace(/^v/, "")).sort(newestFirst);
  const version = versions.find((one) => isNode(one, wanted));
  if (version === undefined) {
    const majors = new Map(versions.toReversed().map((one) => [Number.parseInt(one, 10), one]));
    const known = [...majors.values()].filter((one) => Number.parseInt(one, 10) >= 20).reverse();
    throw new SkyError("SKY_BAD_OPTION", `image.node is "${wanted}"; ${mirror} has ${known.join(", ")} and others`);
  }
  const sums = await read(`${mirror}/v${version}/SHASUMS256.txt`);
  const releases = new Map<string, MirroredNode>();
  for (const [platform, systems] of SYSTEMS) {
    const top = `node-v${version}-${platform}`;
    const archiveSha256 = new RegExp(`^([0-9a-f]{64})\\s+${top.replaceAll(".", "\\.")}\\.tar\\.gz$`, "m").exec(
      sums,
    )?.[1];
    if (archiveSha256 === undefined) continue;
    const url = `${mirror}/v${version}/${top}.tar.gz`;
    const release: MirroredNode = { kind: "node", file: "node", executable: true, version, url, archiveSha256, top };
    for (const system of systems) releases.set(system, release);
  }
  return { version: wanted, releases };
}

async function read(url: string): Promise<string> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(MIRROR_WAIT_MS) });
    if (!response.ok) throw new Error(`status ${response.status}`);
    return await response.text();
  } catch (cause) {
    const why = ((cause as Error).cause as Error | undefined)?.message ?? (cause as Error).message;
    throw new SkyError("SKY_BAD_OPTION", `${url}, of SKYWARD_NODE_MIRROR, can't be read: ${why}`, { cause });
  }
}

function newestFirst(a: string, b: string): number {
  const [x, y] = [a, b].map((one) => one.split(".").map(Number)) as [number[], number[]];
  return y[0]! - x[0]! || y[1]! - x[1]! || y[2]! - x[2]!;
}
