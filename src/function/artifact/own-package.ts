import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The name under which programs import us, and under which the agent places what stands for us on a node. */
export const OWN_NAME = "skyward";

/** The folder of this copy of the package. */
export const ownRoot: string = findOwnRoot();

/** Matches the modules that are the package to its users, as esbuild filters want it (and Go's regular expressions know it). */
export const OWN_ENTRY = new RegExp(
  `^${ownRoot.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")}/(src/index\\.ts|dist/index\\.[cm]?js)$`,
);

function findOwnRoot(): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const file = join(folder, "package.json");
    if (existsSync(file) && (JSON.parse(readFileSync(file, "utf8")) as { name?: string }).name === OWN_NAME)
      return folder;
    if (dirname(folder) === folder) return folder;
  }
}
