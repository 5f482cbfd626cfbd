import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type * as Yaml from "yaml";

const require = createRequire(import.meta.url);

/** A file of YAML. The parser is loaded when there is one: most projects have none. */
export function readYaml(file: string): unknown {
  return (require("yaml") as typeof Yaml).parse(readFileSync(file, "utf8"));
}
