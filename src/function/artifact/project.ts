import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { contentOf } from "../cache/contents.ts";
import type { Artifact, ArtifactFile, ArtifactLink, EntrySource, Prepared } from "./artifact.ts";
import { filesBelow, glob, kindOfPath } from "./files.ts";
import { isPackageFile, Layout, packageRoot, readManifest } from "./layout.ts";
import { linksOf, looksAtItsPlace, manifestsOf, refuseNative, wholePackage } from "./packages.ts";
import { ProjectFiles } from "./project-files.ts";
import { type Reached, reachOf } from "./reach.ts";
import { refuseInclude, refuseNativeFile, refusePlugAndPlay } from "./refusals.ts";
import { mapFrames, type PlaceFinder } from "./stack.ts";
import { hashOf } from "./store.ts";
import { type TracedImport, Tracer } from "./trace.ts";
import { CODE } from "./user-references.ts";
import { buildWritten, type PlacedModule, traceWritten, type WrittenImports } from "./written-modules.ts";

/** Makes artifacts of one project's functions. */
export class Project {
  readonly #layout: Layout;
  readonly #tracer: Tracer;
  readonly #files: ProjectFiles;
  readonly #conditions: readonly string[];
  readonly #whole = new Map<string, readonly string[]>();
  readonly #looking = new Map<string, boolean>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(root: string, conditions: readonly string[]) {
    this.#layout = new Layout(root);
    this.#conditions = conditions;
    this.#tracer = new Tracer(root, conditions);
    this.#files = new ProjectFiles(this.#layout, this.#tracer);
  }

  /** One at a time: two functions mostly reach the same files, and the second then finds them done. */
  prepare(entry: EntrySource): Promise<Prepared> {
    const next = this.#last.then(() => this.#prepare(entry));
    this.#last = next.catch(() => undefined);
    return next;
  }

  async #prepare(entry: EntrySource): Promise<Prepared> {
    const { root } = this.#layout;
    if (process.versions["pnp"] !== undefined || existsSync(join(root, ".pnp.cjs")))
      throw refusePlugAndPlay(entry, root);
    await this.#files.addWritten(entry.modules, entry);
    const own = await traceWritten(entry, this.#files.isWritten, this.#layout, this.#tracer, entry);
    const included = await this.#included(entry);
    const imports = [...own.imports, ...included.imports];
    const files = await this.#files.closure(imports, entry);
    const built = await this.#buildEntry(own, entry);
    const reached = await this.#withWholePackages([...files, ...own.assets, ...included.assets], entry);
    const manifests = [entry.file, ...reached].flatMap((file) => manifestsOf(file, this.#layout));
    const sent = new Set([...reached, ...manifests]);
    const artifact = this.#assemble(built, sent, imports, entry);
    const find: PlaceFinder = (place, line, column) =>
      place === built.path ? built.find(line, column) : this.#files.original(place, line, column);
    const reach = (): Reached[] =>
      reachOf({
        imports,
        files: sent,
        trace: (file) => this.#tracer.file(file),
        sent: (file) => this.#files.known(file),
        looks: (file) => this.#looks(file),
      });
    return { artifact, mapStack: (stack) => mapFrames(stack, find), reach };
  }

  #assemble(
    built: ArtifactFile,
    sent: ReadonlySet<string>,
    imports: readonly TracedImport[],
    entry: EntrySource,
  ): Artifact {
    const links = new Map<string, ArtifactLink>();
    const link = (file: string, list: readonly TracedImport[]): void => {
      for (const item of linksOf(file, list, this.#layout)) links.set(item.path, item);
    };
    link(entry.file, imports);
    for (const file of sent) link(file, this.#tracer.file(file)?.imports ?? []);
    const all = new Map<string, ArtifactFile>([[built.path, built]]);
    for (const file of sent) {
      const emitted = this.#files.get(file);
      all.set(emitted.path, emitted);
    }
    return seal({
      root: this.#layout.root,
      entry: built.path,
      files: byPath([...all.values()].map(({ path, hash, size }) => ({ path, hash, size }))),
      links: byPath(links.values()),
      conditions: this.#conditions,
    });
  }

  /** What `include` names, relative to the function's file, and the places that captured paths name. */
  async #included(entry: EntrySource): Promise<WrittenImports> {
    const folder = dirname(entry.file);
    const named = entry.include.flatMap((pattern) => {
      const found = glob(pattern, folder);
      if (found.length === 0) throw refuseInclude(entry, pattern);
      return found;
    });
    const assets = entry.assets.flatMap((path) => {
      const kind = `${folder}/`.startsWith(`${path}/`) ? undefined : kindOfPath(path);
      return kind === "folder" ? (filesBelow(path) ?? []) : kind === "file" ? [path] : [];
    });
    const all = [...new Set([...named, ...assets])];
    const code = all.filter((file) => CODE.test(file) && !/\.d\.[cm]?ts$/.test(file));
    const starts = code.map((specifier) => ({ specifier, kind: "dynamic-import" as const, place: undefined }));
    return {
      imports: await this.#tracer.imports(entry.file, starts, entry.name),
      assets: all.filter((file) => !CODE.test(file)),
    };
  }

  #buildEntry({ imports }: WrittenImports, entry: EntrySource): Promise<PlacedModule> {
    // Beside its source, so that what is relative to that is relative to it.
    return buildWritten(entry, imports, this.#layout.place(join(dirname(entry.file), entry.entryName)), this.#layout);
  }

  /** The files, and all others of packages that look for files beside themselves, with what those depend on. */
  async #withWholePackages(files: readonly string[], entry: EntrySource): Promise<string[]> {
    const reached = new Set(files);
    for (const file of reached) {
      if (!isPackageFile(file)) continue;
      if (file.endsWith(".node")) throw refuseNativeFile(entry, file);
      const root = packageRoot(file);
      refuseNative(root, entry);
      if (this.#looks(file)) for (const more of await this.#wholePackage(root)) reached.add(more);
    }
    return [...reached];
  }

  #looks(file: string): boolean {
    let looks = this.#looking.get(file);
    if (looks === undefined) {
      looks = CODE.test(file) && looksAtItsPlace(contentOf(file)?.bytes ?? readFileSync(file));
      this.#looking.set(file, looks);
    }
    return looks;
  }

  async #wholePackage(root: string): Promise<readonly string[]> {
    const known = this.#whole.get(root);
    if (known !== undefined) return known;
    const names = Object.keys(readManifest(join(root, "package.json")).dependencies ?? {});
    const starts = names.map((specifier) => ({ specifier, kind: "require-call" as const, place: undefined }));
    const all = [
      ...wholePackage(root),
      ...this.#tracer.closure(await this.#tracer.imports(join(root, "package.json"), starts, root)),
    ];
    this.#whole.set(root, all);
    return all;
  }
}

function byPath<T extends { readonly path: string }>(items: Iterable<T>): T[] {
  return [...items].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
}

function seal(artifact: Omit<Artifact, "id">): Artifact {
  const { root: _, ...sent } = artifact;
  return Object.freeze({ id: hashOf(JSON.stringify(sent)), ...artifact });
}
