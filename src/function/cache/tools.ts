import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const require = createRequire(import.meta.url);

let tools: string | undefined;

/** The key of something that our tools make: of their versions, and of all that it is made from. */
export function cacheKey(...parts: readonly string[]): string {
  tools ??= toolsKey();
  const hash = createHash("sha256").update(tools);
  // With their lengths, so that no two lists are the same text.
  for (const part of parts) hash.update(`\0${part.length}\0`).update(part);
  return hash.digest("hex");
}

function toolsKey(): string {
  const versions = ["esbuild", "acorn"].map((name) => (require(`${name}/package.json`) as { version: string }).version);
  return [...versions, process.versions.node.split(".")[0], process.platform, ourCode()].join("\0");
}

/** Our own code by its content: a version number would not tell one build from the next. */
function ourCode(): string {
  const file = fileURLToPath(import.meta.url);
  const hash = createHash("sha256");
  const folder = dirname(file);
  const folders = file.endsWith(".ts")
    ? ["artifact", "cache", "capture"].map((name) => join(folder, "..", name))
    : [folder];
  for (const one of folders) {
    for (const name of readdirSync(one).sort()) {
      if (/\.(?:ts|c?js)$/.test(name)) hash.update(name).update(readFileSync(join(one, name)));
    }
  }
  return hash.digest("hex");
}
