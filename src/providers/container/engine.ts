import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { SkyError } from "../../errors/sky-error.ts";

const run = promisify(execFile);
const OUTPUT_MAX_BYTES = 64 * 1024 * 1024;

/** Runs a command of the container engine. @throws SkyError SKY_PROVIDER_* with the engine's words */
export async function engine(binary: string, words: readonly string[], signal: AbortSignal): Promise<string> {
  try {
    const { stdout } = await run(binary, [...words], { signal, maxBuffer: OUTPUT_MAX_BYTES });
    return stdout.trim();
  } catch (cause) {
    throw engineError(binary, words[0] ?? "", cause as Failure);
  }
}

type Failure = Error & { readonly code?: string | number; readonly stderr?: string };

export function isGone(error: unknown): boolean {
  return error instanceof SkyError && /no such (container|object)|no container with name/i.test(error.message);
}

export function isTaken(error: unknown): boolean {
  return error instanceof SkyError && /is already in use/i.test(error.message);
}

function engineError(binary: string, call: string, cause: Failure): SkyError {
  if (cause.code === "ENOENT") {
    return new SkyError("SKY_PROVIDER_REFUSED", `there is no command "${binary}" to make containers with`, {
      cause,
      hint: 'Install Docker or Podman, or say which: sky.container({ binary: "podman" }).',
    });
  }
  const words = (cause.stderr ?? "").trim() || cause.message;
  const message = `${binary} ${call}: ${words.split("\n").slice(0, 6).join("\n")}`;
  // What was never begun: anything else may have been.
  const refused =
    /no such image|pull access denied|invalid reference|unknown flag|network \S+ not found|range of cpus|minimum memory|not found: manifest/i;
  return new SkyError(refused.test(words) ? "SKY_PROVIDER_REFUSED" : "SKY_PROVIDER_FAILED", message, { cause });
}
