import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { freshFile } from "./fresh-file.ts";
import type { Step } from "./step.ts";

/** The bars of bench/ that are counted and not timed: bytes and writes per task hold on any machine. */
export function benchGates(root: string): Step {
  const lines = freshFile(root, "bench.jsonl");
  return {
    name: "bench: counted bars",
    command: [
      join(root, "node_modules/.bin/tsx"),
      "--expose-gc",
      join(root, "bench/run.ts"),
      "--counted",
      "--out",
      lines,
    ],
    count: () => {
      if (!existsSync(lines)) return { passed: 0, failed: 1 };
      const bars = readFileSync(lines, "utf8")
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as { pass?: boolean })
        .filter((line) => line.pass !== undefined);
      const passed = bars.filter((line) => line.pass === true).length;
      return { passed, failed: bars.length === 0 ? 1 : bars.length - passed };
    },
  };
}
