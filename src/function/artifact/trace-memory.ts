import { realpathSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { holds, type InputRecord, Inputs } from "../cache/inputs.ts";
import { openCache } from "../cache/open-cache.ts";
import { cacheKey } from "../cache/tools.ts";
import { compilerOptionsOf } from "./compiler-options.ts";
import { isPackageFile, packageNameOf, packageRoot, projectRoot, readManifest } from "./layout.ts";
import type { Start, Traced, TracedImport } from "./trace.ts";

interface TraceRecord extends Traced {
  readonly inputs: InputRecord;
}

/** What tracing found in earlier processes; it holds while all that resolution looked at is as it was. */
export class TraceMemory {
  readonly #root: string;
  readonly #conditions: readonly string[];
  readonly #absent: readonly string[];

  constructor(root: string, conditions: readonly string[], absent: readonly string[]) {
    this.#root = root;
    this.#conditions = conditions;
    this.#absent = absent;
  }

  recall(file: string, starts: readonly Start[]): Traced | undefined {
    const kept = openCache()?.get(this.#key(file, starts));
    if (kept === undefined) return undefined;
    try {
      const { inputs, imports, files } = JSON.parse(kept.toString()) as TraceRecord;
      return holds(inputs) ? { imports, files } : undefined;
    } catch {
      return undefined;
    }
  }

  /** `startedMs`: when tracing began. What was changed since then is not kept: tracing may have seen it or not. */
  keep(file: string, starts: readonly Start[], traced: Traced, startedMs: number): void {
    openCache()?.put(this.#key(file, starts), () => {
      const inputs = inputsOf(file, traced, this.#root).record(startedMs);
      return inputs && Buffer.from(JSON.stringify({ inputs, ...traced } satisfies TraceRecord));
    });
  }

  #key(file: string, starts: readonly Start[]): string {
    const list = starts.map(({ specifier, kind, optional }) => [specifier, kind, optional === true]);
    const path = process.env["NODE_PATH"] ?? "";
    const settings = JSON.stringify([this.#conditions, this.#absent]);
    return cacheKey("trace", this.#root, settings, path, dirname(file), JSON.stringify(list));
  }
}

/** All that resolution looked at, and all that would have led it elsewhere. */
function inputsOf(file: string, { imports, files }: Traced, root: string): Inputs {
  const inputs = new Inputs();
  const seen = new Set<string>();
  const above = (path: string): void => {
    const top = isPackageFile(path) ? packageRoot(path) : path.startsWith(`${root}/`) ? root : projectRoot(path);
    for (let at = path; at !== top && dirname(at) !== at && !seen.has(at); at = dirname(at)) {
      seen.add(at);
      inputs.name(at);
      inputs.file(join(dirname(at), "package.json"));
    }
  };
  const options = new Map<string, ReturnType<typeof compilerOptionsOf>>();
  const optionsOf = (folder: string): ReturnType<typeof compilerOptionsOf> => {
    let found = options.get(folder);
    if (found === undefined) {
      options.set(folder, (found = compilerOptionsOf(folder)));
      for (const one of found.files) inputs.file(one);
    }
    return found;
  };
  const take = (from: string, list: readonly TracedImport[]): void => {
    for (const { specifier, target } of list) {
      if (specifier.startsWith(".") || specifier.startsWith("/")) inputs.near(resolve(dirname(from), specifier));
      else if (!specifier.startsWith("node:")) bare(specifier, target, from, inputs);
      if (!isPackageFile(from)) for (const path of optionsOf(dirname(from)).candidates(specifier)) inputs.near(path);
      if (target !== undefined) above(target);
    }
  };
  above(file);
  take(file, imports);
  for (const [path, { imports: list }] of files) {
    inputs.file(path);
    above(path);
    take(path, list);
  }
  return inputs;
}

/** A package is the nearest of its name. */
function bare(specifier: string, target: string | undefined, from: string, inputs: Inputs): void {
  const name = packageNameOf(specifier);
  if (name === undefined) return;
  for (let at = dirname(from); ; at = dirname(at)) {
    const written = join(at, "node_modules", name);
    inputs.name(written);
    if (statSync(written, { throwIfNoEntry: false })?.isDirectory() === true) {
      const { main } = readManifest(join(written, "package.json"));
      inputs.file(join(written, "package.json"));
      inputs.near(join(written, "index"));
      if (typeof main === "string") inputs.near(join(written, main));
      if (specifier !== name) inputs.near(join(written, specifier.slice(name.length + 1)));
      if (target?.startsWith(`${realpathSync(written)}/`) === true) return;
    }
    if (dirname(at) === at) return;
  }
}
