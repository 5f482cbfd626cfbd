import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";

const SCRIPT = join(import.meta.dirname, "../../scripts/docker.sh");

/** Docker, there for the tests as long as somebody holds it. */
export interface Docker {
  /** Until now nobody else prepares anything; from now on others may. */
  prepared(): void;
  /** Docker stops with its last holder, if it was started for the tests. */
  release(): Promise<void>;
}

/** Starts Docker where it does not run. @throws Error why it can't run here */
export async function holdDocker(): Promise<Docker> {
  const script = spawn("bash", [SCRIPT], { stdio: ["pipe", "pipe", "pipe"] });
  let errors = "";
  script.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
  script.stdin.on("error", () => undefined);
  const ended = once(script, "exit");
  for await (const line of createInterface({ input: script.stdout })) {
    if (line !== "up") continue;
    return {
      prepared: () => void script.stdin.write("\n"),
      release: async () => {
        script.stdin.end();
        await ended;
      },
    };
  }
  throw new Error(`Docker can't run here, so no test that needs machines can: ${errors.trim()}`);
}
