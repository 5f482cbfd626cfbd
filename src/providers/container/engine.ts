import { spawn } from "node:child_process";
import { SkyError } from "../../errors/sky-error.ts";

/**
 * Runs a command of the container engine. Its process group is its own: a Ctrl-C in the program's terminal must not stop
 * it halfway through making or ending a machine.
 * @throws SkyError SKY_PROVIDER_* with the engine's words
 */
export async function engine(binary: string, words: readonly string[], signal: AbortSignal): Promise<string> {
  try {
    return (await run(binary, words, signal)).trim();
  } catch (cause) {
    throw engineError(binary, words[0] ?? "", cause as Failure);
  }
}

type Failure = Error & { readonly code?: string | number; readonly stderr?: string };

function run(binary: string, words: readonly string[], signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(binary, words, { detached: true, signal, stdio: ["ignore", "pipe", "pipe"] });
    let [stdout, stderr] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === 0) return resolve(stdout);
      reject(Object.assign(new Error(`it ended with code ${String(code)}`), { stderr }));
    });
  });
}

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
