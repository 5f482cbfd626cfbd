import { realpathSync } from "node:fs";
import { dirname, extname, resolve } from "node:path";
import { isFn } from "../brand.ts";
import { inspectFunction, type LiveFunction, scriptUrl } from "./inspector.ts";
import { fileOfUrl } from "./loaded-module.ts";

type AnyFunction = (...args: never) => unknown;

/**
 * Which files are never imported on a node, since their declarations travel instead: the program's main module, the
 * file of the function that is sent, and every file that declares functions for nodes.
 */
export class Homes {
  readonly #files = new Set<string>();

  constructor(files: Iterable<string> = []) {
    for (const file of files) this.add(file);
    const main = mainFile();
    if (main !== undefined) this.add(main);
  }

  add(file: string): void {
    this.#files.add(stem(file));
  }

  get files(): ReadonlySet<string> {
    return this.#files;
  }

  has(file: string): boolean {
    return this.#files.has(stem(file));
  }

  /** Whether an import written in `base` leads to such a file. */
  leadsTo(specifier: string, base: string): boolean {
    return /^\.{0,2}\//.test(specifier) && this.has(resolve(dirname(base), specifier));
  }

  /** Whether a live function or class is declared in such a file. */
  declares(value: AnyFunction): boolean {
    if (isFn(value)) return true;
    const live = inspectFunction(value);
    const url = live === undefined ? undefined : scriptUrl(live.location.scriptId);
    const file = url === undefined ? undefined : fileOfUrl(url);
    return live !== undefined && file !== undefined && !isPackage(file) && this.isHome(file, live);
  }

  isHome(file: string, live: LiveFunction): boolean {
    return this.has(file) || declaresFunctions(live);
  }
}

/** Whether the module around a function has a variable made by `sky.fn`. */
function declaresFunctions({ scopes }: LiveFunction): boolean {
  return scopes.slice(-2).some(({ kind, variables }) => {
    if (kind === "script") return false;
    for (const variable of variables.values()) if ("value" in variable && isFn(variable.value)) return true;
    return false;
  });
}

export function isPackage(file: string): boolean {
  return /[\\/]node_modules[\\/]/.test(file);
}

let main: string | false | undefined;

/** The program's main module. */
export function mainFile(): string | undefined {
  if (main === undefined) {
    try {
      main = process.argv[1] === undefined ? false : realpathSync(resolve(process.argv[1]));
    } catch {
      main = process.argv[1] === undefined ? false : resolve(process.argv[1]);
    }
  }
  return main === false ? undefined : main;
}

/** Without its ending: an import may name `./main.js` where the file is `main.ts`. */
function stem(file: string): string {
  return /^\.[cm]?[jt]sx?$/.test(extname(file)) ? file.slice(0, -extname(file).length) : file;
}
