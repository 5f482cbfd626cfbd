import { dirname, extname, resolve } from "node:path";
import { SkyError } from "../../errors/sky-error.ts";
import type { Place } from "../capture/source-map.ts";
import type { EntrySource } from "./artifact.ts";
import { filesBelow, filesMatching, kindOfPath } from "./files.ts";
import { emittedName, isPackageFile } from "./layout.ts";
import type { References } from "./references.ts";
import type { Start, TracedImport, Tracer } from "./trace.ts";

export const CODE = /\.[cm]?[jt]sx?$/;

/** What a look at a module's own text finds, beyond the imports that the bundler sees. */
export interface MoreFiles {
  readonly imports: readonly TracedImport[];
  /** Files that travel as they are. */
  readonly assets: readonly string[];
}

/** A module of the user's, as its references are looked up. */
export interface ReferringModule {
  /** The file at home whose place it has. */
  readonly file: string;
  readonly references: References;
  /** What it is emitted as. */
  readonly kind: "esm" | "cjs";
  /** Where its imports lead, as far as that is known. */
  readonly imports: readonly TracedImport[];
  /** From an offset in the text to what the user wrote. */
  readonly place: (offset: number) => Place | undefined;
}

/**
 * Finds what templates, `new URL("./x", import.meta.url)`, `createRequire` and paths beside the module name.
 * @throws SkyError SKY_CAPTURE_UNSUPPORTED for an import that is computed, unless the function says what to include
 */
export async function findMore(module: ReferringModule, tracer: Tracer, entry: EntrySource): Promise<MoreFiles> {
  const { file, references } = module;
  const folder = dirname(file);
  const known = new Set(module.imports.map((item) => item.specifier));
  const starts: Start[] = [];
  const code = new Set<string>();
  const assets = new Set<string>();
  const urls: { readonly specifier: string; readonly path: string }[] = [];
  const addPath = (path: string): string | undefined => {
    const found = pathAt(path);
    // A folder that the module is in says where it is, not what it reads there.
    if (found === undefined || `${folder}/`.startsWith(`${found}/`)) return undefined;
    for (const one of kindOfPath(found) === "folder" ? (filesBelow(found) ?? []) : [found])
      (CODE.test(one) && !isPackageFile(one) ? code : assets).add(one);
    return found;
  };
  // What is written as an import statement and emitted as require() may lead to another file of the package.
  for (const { specifier, kind, target } of module.kind === "cjs" ? module.imports : [])
    if (kind === "import-statement" && target !== undefined && isPackageFile(target))
      starts.push({ specifier, kind: "require-call", place: undefined, optional: true });
  for (const { value, kind, start } of references.specifiers) {
    if (kind === "new-url") {
      const path = addPath(resolve(folder, decodeURI(value.replace(/[?#].*$/, ""))));
      if (path !== undefined && CODE.test(path)) urls.push({ specifier: value, path });
    } else if (kind === "require-call" && !known.has(value) && !value.startsWith("node:")) {
      starts.push({ specifier: value, kind, place: module.place(start), optional: true });
    }
  }
  for (const path of references.paths) addPath(resolve(folder, path));
  for (const { stretches, start, kind } of references.computed) {
    if (stretches !== undefined) for (const path of filesMatching(stretches, folder, emittedName)) addPath(path);
    else if (kind !== "new-url" && entry.include.length === 0) throw refuseComputed(entry, kind, module.place(start));
  }
  for (const path of code) starts.push({ specifier: path, kind: "dynamic-import", place: undefined });
  const traced = await tracer.imports(file, starts, entry.name);
  const byUrl = urls.map(({ specifier, path }): TracedImport => ({
    specifier,
    kind: "new-url",
    target: path,
    own: false,
  }));
  return { imports: [...byUrl, ...traced], assets: [...assets] };
}

/** The file that is there; TypeScript's users name `./x.js` where `./x.ts` is. */
function pathAt(path: string): string | undefined {
  if (kindOfPath(path) !== undefined) return path;
  const extension = extname(path);
  const typed = /^\.[cm]?js$/.test(extension) ? path.slice(0, -extension.length) + extension.replace("js", "ts") : "";
  return typed !== "" && kindOfPath(typed) === "file" ? typed : undefined;
}

function refuseComputed(entry: EntrySource, kind: string, place: Place | undefined): SkyError {
  const call = kind === "require-call" ? "require()" : "import()";
  const at = place === undefined ? `\n    in ${entry.file}` : `\n    at ${place.file}:${place.line}:${place.column}`;
  return new SkyError(
    "SKY_CAPTURE_UNSUPPORTED",
    `${entry.name} can't be sent: what this ${call} loads is only known when it runs.${at}`,
    {
      hint: 'Say which files it may load: sky.fn(body, { include: ["./plugins/*.ts"] }), or write a template with a fixed folder.',
      details: { stage: "artifact", function: entry.name, ...(place ?? { file: entry.file }) },
    },
  );
}
