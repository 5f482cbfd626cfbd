import { engine } from "./engine.ts";

export const REPOSITORY = "skyward";
const LABEL = "skyward.image";
const DAY_MS = 24 * 3600_000;
/** So many are kept in any case, */
const COUNT_MAX = 10;
/** those that were used in this hour too, */
const FRESH_MS = 3600_000;
/** and none that nobody has used for so long. */
const AGE_MAX_MS = 14 * DAY_MS;
/** What a machine was started with, and no image of it has. */
const BLANK = ["SKYWARD_HOST_KEY", "SKYWARD_AUTHORIZED_KEY", "SKYWARD_TTL"];
const TAGS = ["owner", "controller", "pool", "intent", "ttl"];

/** An image that was made for containers to come. */
export interface SavedImage {
  /** "skyward:0123456789abcdef" */
  readonly name: string;
  /** ms since the epoch; with Podman, when it was made. */
  readonly usedAt: number;
}

/** Words for `commit`: what tells our images from others, and that nothing of one machine is in them. */
export function changeOf(kind: "ssh" | "baked"): readonly string[] {
  const lines = [
    `LABEL ${[`${LABEL}=${kind}`, ...TAGS.map((tag) => `skyward.${tag}=`)].join(" ")}`,
    ...BLANK.map((name) => `ENV ${name}=`),
  ];
  return lines.flatMap((line) => ["--change", line]);
}

export async function savedImages(binary: string, signal: AbortSignal): Promise<SavedImage[]> {
  const filter = ["--filter", `label=${LABEL}`, "--format", "{{.ID}}"];
  const ids = await engine(binary, ["images", "--no-trunc", ...filter], signal);
  if (ids === "") return [];
  const text = await engine(binary, ["image", "inspect", ...new Set(ids.split("\n"))], signal);
  return (JSON.parse(text) as Inspected[]).flatMap(({ RepoTags, Metadata, Created }) => {
    const usedAt = Math.max(Date.parse(Created), Date.parse(Metadata?.LastTagTime ?? Created));
    const names = (RepoTags ?? []).filter((name) => /^(localhost\/)?skyward:(ssh-)?[0-9a-f]{16}$/.test(name));
    return names.map((name) => ({ name, usedAt }));
  });
}

interface Inspected {
  readonly RepoTags?: readonly string[] | null;
  readonly Created: string;
  readonly Metadata?: { readonly LastTagTime?: string };
}

/** Those that are too many or too old. */
export function tooMany(images: readonly SavedImage[], now: number): readonly SavedImage[] {
  const newestFirst = images.toSorted((a, b) => b.usedAt - a.usedAt);
  return newestFirst.filter(({ usedAt }, at) => {
    const age = now - usedAt;
    return age > AGE_MAX_MS || (at >= COUNT_MAX && age > FRESH_MS);
  });
}

/** Removes images; one that a container runs from stays. @returns those that are gone */
export async function removeImages(
  binary: string,
  images: readonly SavedImage[],
  signal: AbortSignal,
): Promise<readonly SavedImage[]> {
  const gone: SavedImage[] = [];
  // One after the other: an image may lie on another one.
  for (const image of images) {
    const removing = engine(binary, ["rmi", image.name], signal).then(
      () => gone.push(image),
      () => signal.throwIfAborted(),
    );
    await removing;
  }
  return gone;
}
