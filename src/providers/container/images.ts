import { createHash } from "node:crypto";
import { SkyError } from "../../errors/sky-error.ts";
import { addSshd } from "./add-sshd.ts";
import { engine } from "./engine.ts";
import { ENTRY_SCRIPT, SSHD_SCRIPT } from "./entry-script.ts";
import { changeOf, REPOSITORY } from "./saved-images.ts";

/** The image that machines start from. */
export interface ContainerImage {
  /** What `run` takes. */
  readonly name: string;
  /** Where a machine that was made ready is kept; undefined when it already is. */
  readonly saveAs: string | undefined;
}

export interface ImageOrder {
  readonly image: string;
  readonly environment: string;
  readonly tell: (words: string) => void;
}

/**
 * An image with an sshd in it, prebaked where there is one of this environment.
 * @throws SkyError SKY_PROVIDER_REFUSED when there is no such image, or no sshd to be had for it
 */
export async function imageAtHand(
  binary: string,
  { image, environment, tell }: ImageOrder,
  signal: AbortSignal,
): Promise<ContainerImage> {
  const base = await idOf(binary, image, signal).catch(async (error: unknown) => {
    if (!(error instanceof SkyError) || error.code !== "SKY_PROVIDER_REFUSED" || error.cause !== undefined) throw error;
    tell(`pulls ${image}`);
    await pull(binary, image, signal);
    return idOf(binary, image, signal);
  });
  const hash = (...parts: readonly string[]): string =>
    createHash("sha256").update(parts.join("\n")).digest("hex").slice(0, 16);
  const baked = `${REPOSITORY}:${hash(base, ENTRY_SCRIPT, SSHD_SCRIPT, environment)}`;
  // By its name it is made anew as used now: what is not used is forgotten one day.
  if (await isTagged(binary, baked, signal)) return { name: baked, saveAs: undefined };
  const reachable = `${REPOSITORY}:ssh-${hash(base, SSHD_SCRIPT)}`;
  if (!(await isTagged(binary, reachable, signal))) {
    tell(`makes sure that ${image} has an sshd`);
    await addSshd(binary, image, { name: reachable, change: changeOf("ssh") }, signal);
  }
  return { name: reachable, saveAs: baked };
}

async function pull(binary: string, image: string, signal: AbortSignal): Promise<void> {
  try {
    await engine(binary, ["pull", "--quiet", image], signal);
  } catch (cause) {
    signal.throwIfAborted();
    const why = `it can't be pulled: ${(cause as Error).message}`;
    throw new SkyError("SKY_PROVIDER_REFUSED", `there is no image ${image} on this computer, and ${why}`, {
      cause,
      hint: `See which images there are: ${binary} images.`,
    });
  }
}

function idOf(binary: string, image: string, signal: AbortSignal): Promise<string> {
  return engine(binary, ["image", "inspect", "--format", "{{.Id}}", image], signal);
}

async function isTagged(binary: string, image: string, signal: AbortSignal): Promise<boolean> {
  try {
    await engine(binary, ["tag", image, image], signal);
    return true;
  } catch {
    signal.throwIfAborted();
    return false;
  }
}
