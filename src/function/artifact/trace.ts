import type { BuildFailure, Loader, Message, Metafile, Plugin } from "esbuild";
import { isBuiltin } from "node:module";
import { dirname, extname, isAbsolute, resolve } from "node:path";
import { SkyError } from "../../errors/sky-error.ts";
import type { Place } from "../capture/source-map.ts";
import { esbuild } from "./esbuild.ts";
import { isPackageFile } from "./layout.ts";
import { OWN_ENTRY, OWN_NAME } from "./own-package.ts";
import { resolveAll, type ResolveOptions } from "./resolve-all.ts";
import { TraceMemory } from "./trace-memory.ts";

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

/** What tracing found: where the imports that it started from lead, and every file behind them. */
export interface Traced {
  readonly imports: readonly TracedImport[];
  readonly files: readonly (readonly [path: string, file: TracedFile])[];
}

/** An import that tracing starts from. */
export interface Start {
  readonly specifier: string;
  readonly kind: "import-statement" | "dynamic-import" | "require-call";
  /** Where the user wrote it, for messages. */
  readonly place: Place | undefined;
  /** Whether it may lead nowhere: the node is left to say so. */
  readonly optional?: boolean;
}

/** What the files of this process import, each found out once: a program, too, reads each of its files once. */
export class Tracer {
  readonly #root: string;
  readonly #conditions: readonly string[];
  readonly #absent: readonly string[];
  readonly #memory: TraceMemory;
  readonly #files = new Map<string, TracedFile>();
  /** Where each import leads, by folder, kind and specifier; undefined for one that leads nowhere. */
  readonly #starts = new Map<string, TracedImport | undefined>();

  /** @param absent packages that are not installed here but will be where functions run: imports of them lead nowhere */
  constructor(root: string, conditions: readonly string[], absent: readonly string[] = []) {
    this.#root = root;
    this.#conditions = conditions;
    this.#absent = absent;
    this.#memory = new TraceMemory(root, conditions, absent);
  }

  file(path: string): TracedFile | undefined {
    return this.#files.get(path);
  }

  /**
   * Where imports written in `file` lead, with everything behind them traced. `subject` is what can't be sent when one
   * leads nowhere.
   * @throws SkyError SKY_CAPTURE_UNRESOLVED
   */
  async imports(file: string, starts: readonly Start[], subject: string): Promise<readonly TracedImport[]> {
    const key = ({ kind, specifier }: Start): string => `${dirname(file)}\0${kind}\0${specifier}`;
    const fresh = starts.filter((start) => !this.#starts.has(key(start)));
    if (fresh.length > 0) {
      const found = await this.#trace(file, fresh, subject);
      for (const start of fresh) {
        const same = found.filter((item) => item.specifier === start.specifier);
        const traced = same.find((item) => item.kind === start.kind) ?? same[0];
        this.#starts.set(key(start), traced);
      }
    }
    return starts.flatMap((start) => this.#starts.get(key(start)) ?? []);
  }

  /** Notes imports of a file that only a closer look at its text finds. */
  extend(file: string, imports: readonly TracedImport[]): void {
    const known = this.#files.get(file);
    this.#files.set(file, { format: known?.format, imports: [...(known?.imports ?? []), ...imports] });
  }

  /** Leads a file's imports of one target to another. */
  redirect(file: string, from: string, to: string): void {
    const known = this.#files.get(file)!;
    const imports = known.imports.map((item) => (item.target === from ? { ...item, target: to } : item));
    this.#files.set(file, { format: known.format, imports });
  }

  /** Every file that the imports reach, in the order in which they are met; `stop` is not reached and leads nowhere. */
  closure(imports: readonly TracedImport[], stop: (file: string) => boolean = () => false): string[] {
    const seen = new Set<string>();
    const open = imports.map((item) => item.target);
    for (let i = 0; i < open.length; i++) {
      const path = open[i];
      if (path === undefined || seen.has(path) || stop(path)) continue;
      seen.add(path);
      for (const next of this.#files.get(path)?.imports ?? []) open.push(next.target);
    }
    return [...seen];
  }

  async #trace(file: string, starts: readonly Start[], subject: string): Promise<readonly TracedImport[]> {
    let traced = this.#memory.recall(file, starts);
    if (traced === undefined) {
      const known = await this.#amongKnown(file, starts);
      if (known !== undefined) return known;
      const startedMs = Date.now();
      traced = await this.#build(file, starts, subject);
      this.#memory.keep(file, starts, traced, startedMs);
    }
    for (const [path, found] of traced.files) if (!this.#files.has(path)) this.#files.set(path, found);
    return traced.imports;
  }

  /** Where imports lead when all behind them is traced already, so that they have only to be resolved. */
  async #amongKnown(file: string, starts: readonly Start[]): Promise<readonly TracedImport[] | undefined> {
    if (this.#files.size === 0) return undefined;
    const found = await resolveAll(starts, dirname(file), this.#options([OWN_NAME, ...this.#absent], {}));
    const imports = found?.map(({ path, external }, index): TracedImport => {
      const { specifier, kind } = starts[index]!;
      const own = path === OWN_NAME || OWN_ENTRY.test(path);
      return { specifier, kind, own, target: own || external ? undefined : path };
    });
    return imports?.every(({ target }) => target === undefined || this.#files.has(target)) === true
      ? imports
      : undefined;
  }

  async #build(file: string, starts: readonly Start[], subject: string): Promise<Traced> {
    const external = new Set<string>([OWN_NAME, ...this.#absent]);
    const loader: Record<string, Loader> = { ".node": "empty" };
    for (;;) {
      try {
        return this.#read(await this.#run(file, starts, [...external], loader), startKey(file));
      } catch (failure) {
        const errors = (failure as BuildFailure).errors;
        if (errors?.[0] === undefined) throw failure;
        if (!this.#repair(errors, external, loader)) throw this.#explain(errors[0], file, starts, subject);
      }
    }
  }

  async #run(
    file: string,
    starts: readonly Start[],
    external: string[],
    loader: Record<string, Loader>,
  ): Promise<Metafile> {
    const { build } = await esbuild();
    const { metafile } = await build({
      stdin: {
        contents: starts.map(startLine).join("\n"),
        resolveDir: dirname(file),
        sourcefile: startKey(file),
        loader: "js",
      },
      ...this.#options(external, loader),
      outfile: "entry.js",
      metafile: true,
      format: "esm",
      target: "esnext",
      // The same files either way, and a third less time.
      treeShaking: true,
      plugins: [ourselves],
    });
    return metafile;
  }

  /** All that resolution depends on. */
  #options(external: string[], loader: Record<string, Loader>): ResolveOptions {
    return {
      absWorkingDir: this.#root,
      bundle: true,
      write: false,
      platform: "node",
      mainFields: ["main"],
      conditions: ["node", "module-sync", ...this.#conditions],
      external,
      loader,
      logLevel: "silent",
    };
  }

  #read(metafile: Metafile, start: string): Traced {
    let own: readonly TracedImport[] = [];
    const files: [string, TracedFile][] = [];
    for (const [key, input] of Object.entries(metafile.inputs)) {
      const path = this.#absolute(key);
      const imports = input.imports.map((item): TracedImport => {
        const ours = item.path === OWN_NAME || OWN_ENTRY.test(this.#absolute(item.path));
        const external = ours || item.external === true || isBuiltin(item.path);
        return {
          specifier: item.original ?? item.path,
          kind: item.kind,
          own: ours,
          target: external ? undefined : this.#absolute(item.path),
        };
      });
      if (path === start) own = imports;
      else files.push([path, { imports, format: input.format }]);
    }
    return { imports: own, files };
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
      if (
        unresolved !== undefined &&
        location !== null &&
        isPackageFile(resolve(this.#root, location.file)) &&
        !external.has(unresolved)
      ) {
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

  #explain({ text, location }: Message, file: string, starts: readonly Start[], subject: string): Error {
    const inStart = location !== null && this.#absolute(location.file) === startKey(file);
    const place =
      location === null
        ? undefined
        : inStart
          ? starts[location.line - 1]?.place
          : { file: this.#absolute(location.file), line: location.line, column: location.column + 1 };
    const at =
      place === undefined ? `\n    imported by ${file}` : `\n    at ${place.file}:${place.line}:${place.column}`;
    return new SkyError("SKY_CAPTURE_UNRESOLVED", `${subject} can't be sent: ${text.replace(/^C/, "c")}.${at}`, {
      details: { stage: "artifact", function: subject, ...(place ?? { file }) },
    });
  }
}

/** One line for each, so that an error's line says which; by namespace, since only where it leads is asked. */
function startLine({ specifier, kind, optional }: Start, index: number): string {
  const literal = JSON.stringify(specifier);
  if (optional === true) return `try { require(${literal}); } catch {}`;
  if (kind === "require-call") return `require(${literal});`;
  if (kind === "dynamic-import") return `import(${literal});`;
  return `import * as n${index} from ${literal}; n${index};`;
}

/** Imports are resolved from beside the file, under a name that no file has. */
function startKey(file: string): string {
  return `${file}.sky-entry.js`;
}

/** Our own modules are not read: what they import is not the user's. */
const ourselves: Plugin = {
  name: "skyward",
  setup(build) {
    build.onLoad({ filter: OWN_ENTRY }, () => ({ contents: "module.exports = {};", loader: "js" }));
  },
};
