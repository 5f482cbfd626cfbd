import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { Tail } from "../../agent/tail.ts";
import { SkyError } from "../../errors/sky-error.ts";
import { engine, engineError } from "./engine.ts";
import { SSHD_SCRIPT } from "./entry-script.ts";

const STOP_MS = 30_000;

/**
 * Saves an image with an sshd under a name. The container in which it is made ends with this process, and goes then.
 * @throws SkyError SKY_PROVIDER_REFUSED when there is no sshd to be had for it
 */
export async function addSshd(
  binary: string,
  image: string,
  { name, change }: { readonly name: string; readonly change: readonly string[] },
  signal: AbortSignal,
): Promise<void> {
  const work = `skyward-image-${process.pid}-${randomBytes(5).toString("hex")}`;
  const words = ["run", "--rm", "--interactive", "--name", work, "--entrypoint", "/bin/sh", image, "-c", SSHD_SCRIPT];
  const child = spawn(binary, words, { detached: true, stdio: "pipe", signal });
  const stderr = new Tail();
  child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
  child.stdin.on("error", () => undefined);
  const closed = once(child, "close").then(([code]) => ({ code: code as number | null }));
  const ready = new Promise<void>((resolve) => {
    let said = "";
    child.stdout.on("data", (chunk: Buffer) => {
      said += chunk.toString();
      if (/^ready$/m.test(said)) resolve();
    });
  });
  try {
    const ended = await Promise.race([closed, ready]);
    if (ended) {
      const failure = new Error(`it ended with exit code ${String(ended.code)}`);
      throw engineError(binary, "run", Object.assign(failure, { stderr: stderr.toString() }));
    }
    await engine(binary, ["commit", "--pause=false", ...change, work, name], signal);
  } catch (cause) {
    signal.throwIfAborted();
    const { message } = cause as Error;
    throw new SkyError("SKY_PROVIDER_REFUSED", `the image ${image} can't be given an sshd: ${message}`, { cause });
  } finally {
    child.stdin.end();
    await engine(binary, ["rm", "--force", work], AbortSignal.timeout(STOP_MS)).catch(() => undefined);
    await closed.catch(() => undefined);
  }
}
