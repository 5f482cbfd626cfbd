import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Runs the docker command. @returns what it printed, without the last newline; throws what it complained of */
export async function docker(...words: readonly string[]): Promise<string> {
  const { stdout } = await run("docker", [...words], { maxBuffer: 64 * 1024 * 1024 });
  return stdout.trimEnd();
}

/** Runs a command of this computer. */
export async function here(file: string, ...words: readonly string[]): Promise<string> {
  const { stdout } = await run(file, [...words]);
  return stdout.trimEnd();
}

/** Runs a command of this computer inside the network of a container. */
export function inNetworkOf(pid: number, ...command: readonly string[]): Promise<string> {
  return here("nsenter", "-t", String(pid), "-n", ...command);
}
