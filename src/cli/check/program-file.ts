import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ownRoot } from "../../function/artifact/own-package.ts";

/** A file of this command that runs in another process: beside this one in a checkout, at a fixed place when built. */
export function programFile(name: "child" | "hooks"): string {
  const source = fileURLToPath(new URL(`./${name}.ts`, import.meta.url));
  return existsSync(source) ? source : join(ownRoot, "dist", `check-${name}.js`);
}
