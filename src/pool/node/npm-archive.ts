import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { findNpm } from "../../agent/find-npm.ts";
import { keep } from "../../function/artifact/store.ts";

const MOST_BYTES = 256 * 1024 * 1024;
let archive: Promise<string | undefined> | undefined;

/** The hash of a blob with the npm of this machine, for nodes that have none; undefined where this one has none either. */
export function npmArchive(): Promise<string | undefined> {
  archive ??= pack();
  return archive;
}

async function pack(): Promise<string | undefined> {
  const program = findNpm();
  const root = program === undefined ? "" : dirname(dirname(program));
  if (program === undefined || basename(program) !== "npm-cli.js" || !existsSync(join(root, "package.json")))
    return undefined;
  const { stdout } = await promisify(execFile)("tar", ["-czf", "-", "-C", root, "."], {
    encoding: "buffer",
    maxBuffer: MOST_BYTES,
  });
  return keep(stdout);
}
