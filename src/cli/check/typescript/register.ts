// Imported before a file of a project in TypeScript that has no loader of its own: esbuild transforms each file.
import { readFileSync } from "node:fs";
import Module, { register } from "node:module";
import { dirname, isAbsolute, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { transformSync } from "esbuild";
import { programFile } from "../program-file.ts";
import { EXTENSIONS, sourceFileOf, transformOf } from "./source-file.ts";

interface Compiling {
  _compile(code: string, file: string): void;
}

/** The parts of CommonJS that loaders have always been hung into, and that have no types. */
interface CommonJs {
  readonly _extensions: Record<string, (module: Compiling, file: string) => void>;
  _resolveFilename(request: string, parent: { readonly filename?: string } | undefined, ...more: unknown[]): string;
}

const commonJs = Module as unknown as CommonJs;
for (const extension of EXTENSIONS) {
  commonJs._extensions[extension] = (module, file) =>
    module._compile(transformSync(readFileSync(file, "utf8"), transformOf(file)).code, file);
}

const resolveFilename = commonJs._resolveFilename;
commonJs._resolveFilename = function (request, parent, ...more) {
  try {
    return resolveFilename.call(this, request, parent, ...more);
  } catch (error) {
    const relative = /^\.\.?\//.test(request) && parent?.filename !== undefined;
    const path = relative ? resolve(dirname(parent.filename), request) : request;
    const file = isAbsolute(path) ? sourceFileOf(path) : undefined;
    if (file === undefined) throw error;
    return file;
  }
};

register(pathToFileURL(programFile("hooks")).href);
