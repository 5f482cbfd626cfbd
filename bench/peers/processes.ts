import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
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
