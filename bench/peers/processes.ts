import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { elapsed } from "../harness.ts";

const EMPTY_AGENT = join(import.meta.dirname, "empty-agent.mjs");

/** Milliseconds until so many empty agents, started together, are ready. */
export async function emptyAgents(count: number): Promise<number> {
  const start = () => spawn(process.execPath, [EMPTY_AGENT], { stdio: ["pipe", "pipe", "inherit"] });
  let agents: ReturnType<typeof start>[] = [];
  const milliseconds = await elapsed(() => {
    agents = Array.from({ length: count }, start);
    return Promise.all(agents.map((agent) => once(agent.stdout, "data")));
  });
  await Promise.all(
    agents.map((agent) => {
      const gone = once(agent, "exit");
      agent.stdin.end();
      return gone;
    }),
  );
  return milliseconds;
}

/** Milliseconds that a Node process with this program takes from its start to its end. */
export function nodeProgram(program: string): Promise<number> {
  return elapsed(async () => {
    const child = spawn(process.execPath, ["--input-type=module", "-e", program], { stdio: "inherit" });
    const [code] = await once(child, "exit");
    if (code !== 0) throw new Error(`node -e ${program} ended with ${String(code)}`);
  });
}

/** Milliseconds until a process of the process executor says that it is ready: started as its host starts it. */
export async function slotReady(file: string): Promise<number> {
  const claims = openSync(join(tmpdir(), `claims-${process.pid}`), "w+");
  const began = performance.now();
  const child = spawn(process.execPath, [file, "secret"], { stdio: ["ignore", "pipe", "pipe", "pipe", claims] });
  await once(child.stdio[3] as Readable, "data");
  const milliseconds = performance.now() - began;
  child.kill("SIGKILL");
  await once(child, "close");
  closeSync(claims);
  rmSync(join(tmpdir(), `claims-${process.pid}`));
  return milliseconds;
}

/** Milliseconds that `node -e 0` takes from its start to its end. */
export function bareNode(): Promise<number> {
  return elapsed(async () => once(spawn(process.execPath, ["-e", "0"], { stdio: "inherit" }), "exit"));
}
