import { spawn } from "node:child_process";
import { SkyError } from "../../errors/sky-error.ts";

const LINES_MAX = 6;

/** What was never begun: anything else may have been. In the words of Docker and of Podman. */
const REFUSED = [
  /no such image|image not known|pull access denied|invalid reference|manifest( unknown| for|: not found)/i,
  /unknown flag|network \S+ not found|unable to find network|range of cpus|minimum memory|invalid memory/i,
];
const NO_ENGINE =
  /cannot connect to (the docker daemon|podman)|is the docker daemon running|permission denied while trying/i;

/**
 * Runs a command of the container engine. Its process group is its own: a Ctrl-C in the program's terminal must not stop
 * it halfway through making or ending a machine.
 * @param env what its words name but must not contain: other users of this computer see those
 * @throws SkyError SKY_PROVIDER_* with the engine's words
 */
export async function engine(
  binary: string,
  words: readonly string[],
  signal: AbortSignal,
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  try {
    return (await run(binary, words, signal, env)).trim();
  } catch (error) {
    throw engineError(binary, words[0] ?? "", error as Failure);
  }
}

type Failure = Error & { readonly code?: string | number; readonly stderr?: string };

function run(
  binary: string,
  words: readonly string[],
  signal: AbortSignal,
  env: Readonly<Record<string, string>>,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const all = { ...process.env, ...env };
    const child = spawn(binary, words, { detached: true, signal, env: all, stdio: ["ignore", "pipe", "pipe"] });
    let [stdout, stderr] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === 0) return resolve(stdout);
      reject(Object.assign(new Error(`it ended with exit code ${String(code)}`), { stderr }));
    });
  });
}

export function isGone(error: unknown): boolean {
  return error instanceof SkyError && /no such (container|object)|no container with name/i.test(error.message);
}

export function isTaken(error: unknown): boolean {
  return error instanceof SkyError && /is already in use/i.test(error.message);
}

/** An error of the engine, from what it printed. */
export function engineError(binary: string, call: string, failure: Failure): SkyError {
  if (failure.code === "ENOENT") {
    return new SkyError("SKY_PROVIDER_REFUSED", `there is no command "${binary}" to make containers with`, {
      cause: failure,
      hint: 'Install Docker or Podman, or say which: sky.container({ binary: "podman" }).',
    });
  }
  const said = (failure.stderr ?? "").trim().split("\n").slice(0, LINES_MAX).join("\n");
  const words = said || failure.message;
  const refused = REFUSED.some((one) => one.test(words));
  return new SkyError(refused ? "SKY_PROVIDER_REFUSED" : "SKY_PROVIDER_FAILED", `${binary} ${call}: ${words}`, {
    ...(NO_ENGINE.test(words) ? { hint: `Start the engine, or let this user use it: ${binary} version.` } : {}),
  });
}
