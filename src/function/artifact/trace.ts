import type { BuildFailure, Loader, Message, Metafile, Plugin } from "esbuild";
import { isBuiltin } from "node:module";
import { extname, isAbsolute, resolve } from "node:path";
import { SkyError } from "../../errors/sky-error.ts";
import type { EntrySource } from "./artifact.ts";
import { esbuild } from "./esbuild.ts";
import { isPackageFile } from "./layout.ts";
import { OWN_ENTRY, OWN_NAME } from "./own-package.ts";

export interface TracedImport {
  readonly specifier: string;
  readonly kind: string;
  /** The real path that it leads to; undefined for what Node itself has, and for us. */
  readonly target: string | undefined;
  /** Whether it leads to this package. */
  readonly own: boolean;
}

export interface TracedFile {
  readonly imports: readonly TracedImport[];
  readonly format: "esm" | "cjs" | undefined;
}

/** What the files of this process import, each found out once: a program, too, reads each of its files once. */
export class Tracer {
  readonly #root: string;
  readonly #conditions: readonly string[];
  readonly #files = new Map<string, TracedFile>();
  readonly #entries = new Map<string, readonly TracedImport[]>();

  constructor(root: string, conditions: readonly string[]) {
    this.#root = root;
    this.#conditions = conditions;
  }

  file(path: string): TracedFile | undefined {
    return this.#files.get(path);
  }

  /** Every file that the entry reaches, in the order in which they are met. */
  async reach(entry: EntrySource): Promise<{ readonly imports: readonly TracedImport[]; readonly files: readonly string[] }> {
    let imports = this.#entries.get(entry.file + entry.text);
    if (imports === undefined) {
      imports = await this.#build(entry);
      this.#entries.set(entry.file + entry.text, imports);
    }
    return { imports, files: this.closure(imports) };
  }

  closure(imports: readonly TracedImport[]): string[] {
    const seen = new Set<string>();
    const open = imports.map((item) => item.target);
    for (let i = 0; i < open.length; i++) {
      const path = open[i];
      if (path === undefined || seen.has(path)) continue;
      seen.add(path);
      for (const next of this.#files.get(path)?.imports ?? []) open.push(next.target);
    }
    return [...seen];
  }

  async #build(entry: EntrySource): Promise<readonly TracedImport[]> {
    const external = new Set<string>([OWN_NAME]);
    const loader: Record<string, Loader> = { ".node": "empty" };
    for (;;) {
      try {
        return this.#learn(await this.#run(entry, [...external], loader), entry);
      } catch (failure) {
        if (!this.#repair((failure as BuildFailure).errors ?? [], external, loader)) throw this.#explain(failure as BuildFailure, entry);
      }
    }
  }

  async #run(entry: EntrySource, external: string[], loader: Record<string, Loader>): Promise<Metafile> {
    const { build } = await esbuild();
    const { metafile } = await build({
      stdin: { contents: entry.text, resolveDir: resolve(entry.file, ".."), sourcefile: entryKey(entry), loader: "js" },
      absWorkingDir: this.#root,
      outfile: "entry.js",
      bundle: true,
      write: false,
      metafile: true,
      platform: "node",
      format: entry.kind,
      target: "esnext",
      treeShaking: false,
      mainFields: ["main"],
      conditions: ["node", "module-sync", ...this.#conditions],
      external,
      loader,
      logLevel: "silent",
      plugins: [ourselves],
    });
    return metafile;
  }

  #learn(metafile: Metafile, entry: EntrySource): readonly TracedImport[] {
    let own: readonly TracedImport[] = [];
    for (const [key, input] of Object.entries(metafile.inputs)) {
      const imports = input.imports.map((item): TracedImport => {
        const own = item.path === OWN_NAME || OWN_ENTRY.test(this.#absolute(item.path));
        const external = own || item.external === true || isBuiltin(item.path);
        return { specifier: item.original ?? item.path, kind: item.kind, own, target: external ? undefined : this.#absolute(item.path) };
      });
      if (key === entryKey(entry) || this.#absolute(key) === entryKey(entry)) own = imports;
      else if (!this.#files.has(this.#absolute(key))) this.#files.set(this.#absolute(key), { imports, format: input.format });
    }
    return own;
  }

  #absolute(key: string): string {
    return isAbsolute(key) ? key : resolve(this.#root, key);
  }

  /**
   * Packages may import what is not installed (they look first whether it is there), and files of any kind may be
   * imported: those are left to the node. Whether the build is worth another try.
   */
  #repair(errors: readonly Message[], external: Set<string>, loader: Record<string, Loader>): boolean {
    let changed = false;
    for (const { text, location } of errors) {
      const unresolved = /^Could not resolve "(.+?)"/.exec(text)?.[1];
      const unknown = /^No loader is configured for "(.+?)" files: (.+)$/.exec(text);
      if (unresolved !== undefined && location !== null && isPackageFile(resolve(this.#root, location.file)) && !external.has(unresolved)) {
        external.add(unresolved);
        changed = true;
      } else if (unknown !== null) {
        const extension = unknown[1] || extname(unknown[2]!);
        if (loader[extension] === undefined) {
          loader[extension] = "empty";
          changed = true;
        }
      } else {
        return false;
      }
    }
    return changed;
  }

  #explain(failure: BuildFailure, entry: EntrySource): Error {
    const [first] = failure.errors ?? [];
    if (first === undefined) return failure;
    const { location } = first;
    const inEntry = location !== null && this.#absolute(location.file) === entryKey(entry);
    const place = location === null ? undefined : inEntry ? entry.place(location.line - 1, location.column) : { file: this.#absolute(location.file), line: location.line, column: location.column + 1 };
    const at = place === undefined ? `\n    imported by ${entry.file}` : `\n    at ${place.file}:${place.line}:${place.column}`;
    return new SkyError("SKY_CAPTURE_UNRESOLVED", `${entry.name} can't be sent: ${first.text.replace(/^C/, "c")}.${at}`, {
      details: { stage: "artifact", function: entry.name, ...(place ?? { file: entry.file }) },
    });
  }
}

/** The entry lies beside its source, under a name that no file has. */
function entryKey(entry: EntrySource): string {
  return `${entry.file}.sky-entry.js`;
}

/** Our own modules are not read: what they import is not the user's. */
const ourselves: Plugin = {
  name: "skyward",
  setup(build) {
    build.onLoad({ filter: OWN_ENTRY }, () => ({ contents: "module.exports = {};", loader: "js" }));
  },
};
