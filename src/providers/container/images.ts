import { createHash } from "node:crypto";
import { SkyError } from "../../errors/sky-error.ts";
import { engine } from "./engine.ts";
import { SSHD_SCRIPT } from "./entry-script.ts";

const REPOSITORY = "skyward";
/** How long it may take to give an image its sshd. */
const WORK_LIMIT_S = 1800;

/** The image that machines start from. */
export interface ContainerImage {
  /** What `run` takes. */
  readonly name: string;
  /** Where a machine that was made ready is kept; undefined when it already is. */
  readonly saveAs: string | undefined;
}

/**
 * An image with an sshd in it, prebaked where there is one of this environment.
 * @throws SkyError SKY_PROVIDER_REFUSED when there is no such image, or no sshd to be had for it
 */
export async function imageAtHand(
  binary: string,
  image: string,
  environment: string,
  signal: AbortSignal,
): Promise<ContainerImage> {
  const base = await idOf(binary, image, signal).catch(async (error: unknown) => {
    if (!(error instanceof SkyError) || error.code !== "SKY_PROVIDER_REFUSED") throw error;
    await engine(binary, ["pull", "--quiet", image], signal);
    return idOf(binary, image, signal);
  });
  const hash = (...parts: readonly string[]): string =>
    createHash("sha256").update(parts.join("\n")).digest("hex").slice(0, 16);
  const baked = `${REPOSITORY}:${hash(base, SSHD_SCRIPT, environment)}`;
  if (await isThere(binary, baked, signal)) return { name: baked, saveAs: undefined };
  const reachable = `${REPOSITORY}:ssh-${hash(base, SSHD_SCRIPT)}`;
  if (!(await isThere(binary, reachable, signal))) await addSshd(binary, image, reachable, signal);
  return { name: reachable, saveAs: baked };
}

async function addSshd(binary: string, image: string, name: string, signal: AbortSignal): Promise<void> {
  const work = `skyward-image-${process.pid}-${Date.now()}`;
  // Should this program be killed, the container ends by itself.
  const wait = ["--entrypoint", "/bin/sh", image, "-c", `exec sleep ${WORK_LIMIT_S}`];
  try {
    await engine(binary, ["run", "--detach", "--rm", "--name", work, ...wait], signal);
    await engine(binary, ["exec", work, "/bin/sh", "-c", SSHD_SCRIPT], signal);
    await engine(binary, ["commit", work, name], signal);
  } catch (cause) {
    const { message } = cause as Error;
    throw new SkyError("SKY_PROVIDER_REFUSED", `the image ${image} can't be given an sshd: ${message}`, { cause });
  } finally {
    await engine(binary, ["rm", "--force", work], AbortSignal.timeout(30_000)).catch(() => undefined);
  }
}

function idOf(binary: string, image: string, signal: AbortSignal): Promise<string> {
  return engine(binary, ["image", "inspect", "--format", "{{.Id}}", image], signal);
}

function isThere(binary: string, image: string, signal: AbortSignal): Promise<boolean> {
  return idOf(binary, image, signal).then(
    () => true,
    () => false,
  );
}
