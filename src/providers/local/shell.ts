import { spawn } from "node:child_process";
import type { RemoteShell } from "../../image/bootstrap.ts";
import { scriptCommand } from "../../ssh/shell.ts";

/** This computer's own shell. */
export function localShell(name: string, env: NodeJS.ProcessEnv = process.env): RemoteShell {
  return {
    name,
    start: async (script, input) => {
      // In a process group of its own, which the script ends with itself.
      const child = spawn("sh", ["-c", scriptCommand(script)], {
        detached: true,
        env,
        stdio: ["pipe", "pipe", "ignore"],
      });
      const exit = new Promise<number | null>((resolve) => {
        child.once("close", resolve).once("error", () => resolve(null));
      });
      child.stdin.on("error", () => undefined);
      child.stdin.write(script + input);
      const leave = (): void => void child.stdout.destroy();
      return { output: child.stdout, exit, stop: () => child.stdin.end(), leave };
    },
    // Where it lies here is where the script looks for it.
    put: async () => undefined,
  };
}
