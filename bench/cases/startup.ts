import { join } from "node:path";
import { pathToFileURL } from "node:url";
import * as sky from "skyward";
import { elapsed, inTurns, type Case } from "../harness.ts";
import { ownProgram } from "../functions.ts";
import { emptyAgents, bareNode, nodeProgram, slotReady } from "../peers/processes.ts";

const PACKAGE = pathToFileURL(join(import.meta.dirname, "../../dist/index.js")).href;

/** Four nodes until all are ready, against four processes of the same shape with nothing in them. */
export const startup: Case = {
  name: "startup",
  async run(report) {
    const fourNodes = async (): Promise<number> => {
      let pool: sky.Pool | undefined;
      const milliseconds = await elapsed(async () => {
        pool = await sky.compute({ provider: sky.local(), nodes: 4, console: "silent" });
      });
      await pool?.close();
      return milliseconds;
    };
    const medians = await inTurns({ empty: () => emptyAgents(4), ours: fourNodes });
    report("four empty agents ready", medians.empty, "ms");
    report("four local nodes ready", medians.ours, "ms", { of: medians.empty, atMost: 1.5 });
  },
};

/** A process of the process executor until it can take a task, against one that does nothing. */
export const slot: Case = {
  name: "slot",
  async run(report) {
    const worker = { executor: "process" } as const;
    const pool = await sky.compute({ provider: sky.local(), nodes: 1, worker, console: "silent" });
    try {
      const file = await pool.run(ownProgram());
      const medians = await inTurns({ bare: bareNode, ours: () => slotReady(file) });
      report("process slot ready", medians.ours, "ms", { of: medians.bare, atMost: 1.3 });
    } finally {
      await pool.close();
    }
  },
};

/** What the import of the package adds to a program's start. */
export const importing: Case = {
  name: "import",
  async run(report) {
    const medians = await inTurns({
      bare: () => nodeProgram("0"),
      ours: () => nodeProgram(`import ${JSON.stringify(PACKAGE)}`),
    });
    report("node -e 0", medians.bare, "ms");
    report('import "skyward", above node -e 0', medians.ours - medians.bare, "ms", { atMost: 60 });
  },
};
