import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { SkyError } from "../errors/sky-error.ts";

/**
 * Where the bundled agent lies, seen from a file of the built package, from itself on another machine, from a chunk of
 * the package, and from these sources.
 */
const PLACES = ["./agent.js", "./agent.mjs", "../agent.js", "../../dist/agent.js"];

let found: string | undefined;

/** The path of the bundled agent, the one file that every node runs. */
export function agentFile(): string {
  found ??= PLACES.map((place) => fileURLToPath(new URL(place, import.meta.url))).find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new SkyError("SKY_AGENT_FAILED", "the bundled agent, dist/agent.js, is missing", {
    hint: "Install the package again, or build it in a checkout: node scripts/build-agent.mjs",
  });
}
