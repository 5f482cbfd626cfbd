import { createRequire } from "node:module";
import { extname } from "node:path";
import { pathToFileURL } from "node:url";
import { programFile } from "./program-file.ts";

const TYPED = /^\.[cm]?tsx?$|^\.jsx$/;

/**
 * What Node needs to run the file: nothing for JavaScript; else the project's own tsx, or, in a project without, a loader
 * of ours.
 */
export function loaderFor(file: string): string[] {
  const ours = programFile("child");
  const typed = TYPED.test(extname(file)) || TYPED.test(extname(ours));
  if (!typed) return [];
  const tsx = find("tsx", file) ?? (TYPED.test(extname(ours)) ? find("tsx", ours) : undefined);
  if (tsx !== undefined) return ["--import", pathToFileURL(tsx).href];
  return ["--enable-source-maps", "--import", pathToFileURL(programFile("register")).href];
}

function find(name: string, from: string): string | undefined {
  try {
    return createRequire(from).resolve(name);
  } catch {
    return undefined;
  }
}
