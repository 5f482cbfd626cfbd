import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ownRoot } from "../../function/artifact/own-package.ts";

const SOURCES = { child: "./child.ts", register: "./typescript/register.ts", hooks: "./typescript/hooks.ts" };

/** A file of this command that runs in another process or thread: the source in a checkout, else what was built of it. */
export function programFile(name: keyof typeof SOURCES): string {
  const source = fileURLToPath(new URL(SOURCES[name], import.meta.url));
  return existsSync(source) ? source : join(ownRoot, "dist", `check-${name}.js`);
}
