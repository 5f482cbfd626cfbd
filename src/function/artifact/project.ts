import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { contentOf } from "../cache/contents.ts";
import type { Artifact, ArtifactExternal, ArtifactFile, ArtifactLink, EntrySource, Prepared } from "./artifact.ts";
import { checkExport } from "./check-export.ts";
import { filesBelow, glob, kindOfPath } from "./files.ts";
import { findPackage, isPackageFile, Layout, packageNameOf, packageRoot, readManifest } from "./layout.ts";
import { absentExternal, externalOf } from "./native/externals.ts";
import type { ListedPackage } from "./native/listed.ts";
import { Natives } from "./native/natives.ts";
import { linksOf, looksAtItsPlace, manifestsOf, wholePackage } from "./packages.ts";
import { ProjectFiles } from "./project-files.ts";
import { chainsOf, type Reached, reachOf, wayTo } from "./reach.ts";
import { refuseInclude, refusePlugAndPlay } from "./refusals.ts";
import { mapFrames, type PlaceFinder } from "./stack.ts";
import { hashOf } from "./store.ts";
import { type TracedFile, type TracedImport, Tracer } from "./trace.ts";
import { transformText } from "./transform.ts";
import { CODE } from "./user-references.ts";
import { buildWritten, type PlacedModule, traceWritten, type WrittenImports } from "./written-modules.ts";

/** Makes artifacts of one project's functions. */
export class Project {
  readonly #layout: Layout;
  readonly #tracer: Tracer;
  readonly #files: ProjectFiles;
  readonly #conditions: readonly string[];
  readonly #whole = new Map<string, { readonly own: readonly string[]; readonly needs: readonly TracedImport[] }>();
  readonly #looking = new Map<string, boolean>();
  readonly #natives: Natives;
  /** Packages that only nodes have, by name. */
  readonly #absent: ReadonlyMap<string, ListedPackage>;
  #last: Promise<unknown> = Promise.resolve();

  constructor(root: string, conditions: readonly string[], listed: readonly ListedPackage[] = []) {
    this.#layout = new Layout(root);
    this.#conditions = conditions;
    const isHere = ({ name }: ListedPackage): boolean => findPackage(name, join(root, "package.json")) !== undefined;
    this.#natives = new Natives(byName(listed));
    this.#absent = byName(listed.filter((item) => !isHere(item)));
    this.#tracer = new Tracer(root, conditions, [...this.#absent.keys()]);
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
    // Another process does that, while this one looks for files.
    const transformed = transformText(entry.text);
    transformed.catch(() => undefined);
    await this.#files.addWritten(entry.modules, entry);
    const own = await traceWritten(entry, this.#files.isWritten, this.#layout, this.#tracer, entry);
    await checkExport(entry, own.imports, (file) => this.#tracer.file(file));
    const included = await this.#included(entry);
    const imports = [...own.imports, ...included.imports];
    const built = await this.#buildEntry(own, entry, transformed);
    const { files, natives } = await this.#reached(imports, [...own.assets, ...included.assets], entry);
    const manifests = [entry.file, ...files].flatMap((file) => manifestsOf(file, this.#layout));
    const sent = new Set([...files, ...manifests]);
    const artifact = this.#assemble(built, sent, natives, imports, entry);
    const find: PlaceFinder = (place, line, column) =>
      place === built.path ? built.find(line, column) : this.#files.original(place, line, column);
    const trace = (file: string): TracedFile | undefined => this.#tracer.file(file);
    const reach = (): Reached[] =>
      reachOf({
        imports,
        files: sent,
        trace,
        sent: (file) => this.#files.known(file),
        looks: (file) => this.#looks(file),
      });
    const way = (root: string): readonly string[] => wayTo(root, chainsOf(imports, trace));
    return { artifact, mapStack: (stack) => mapFrames(stack, find), reach, wayTo: way };
  }

  #assemble(
    built: ArtifactFile,
    sent: ReadonlySet<string>,
    natives: ReadonlySet<string>,
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
      externals: byPath([...this.#externals(natives), ...this.#absentOf(imports, sent)]),
      conditions: this.#conditions,
    });
  }

  #externals(natives: ReadonlySet<string>): ArtifactExternal[] {
    const of = (root: string): ArtifactExternal =>
      externalOf(root, this.#natives.why(root)!, this.#layout, this.#natives.listed(root));
    return [...natives].map(of);
  }

  /** What is imported of packages that only nodes have. */
  #absentOf(imports: readonly TracedImport[], sent: ReadonlySet<string>): ArtifactExternal[] {
    if (this.#absent.size === 0) return [];
    const all = [...imports, ...[...sent].flatMap((file) => this.#tracer.file(file)?.imports ?? [])];
    const names = new Set(all.map(({ specifier, target }) => (target === undefined ? packageNameOf(specifier) : "")));
    return [...this.#absent.values()].filter(({ name }) => names.has(name)).map(absentExternal);
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

  #buildEntry(
    { imports }: WrittenImports,
    entry: EntrySource,
    transformed: ReturnType<typeof transformText>,
  ): Promise<PlacedModule> {
    // Beside its source, so that what is relative to that is relative to it.
    const place = this.#layout.place(join(dirname(entry.file), entry.entryName));
    return buildWritten(entry, imports, place, this.#layout, transformed);
  }

  /** All files that travel, and the folders of the native packages that they lead to, which don't. */
  async #reached(
    imports: readonly TracedImport[],
    assets: readonly string[],
    entry: EntrySource,
  ): Promise<{ readonly files: readonly string[]; readonly natives: ReadonlySet<string> }> {
    for (;;) {
      const natives = new Set<string>();
      const stop = (file: string): boolean => {
        const root = this.#natives.rootOf(file);
        if (root !== undefined) natives.add(root);
        return root !== undefined;
      };
      const files = await this.#files.closure(imports, entry, stop);
      const whole = await this.#withWholePackages([...files, ...assets.filter((file) => !stop(file))], stop);
      // A package that only now shows a native file is left out as a whole, with what it alone leads to.
      const late = whole.filter((file) => file.endsWith(".node") && isPackageFile(file));
      if (late.map((file) => this.#natives.note(packageRoot(file), file)).includes(true)) continue;
      return { files: whole, natives };
    }
  }

  /** The files, and all others of packages that look for files beside themselves, with what those depend on. */
  async #withWholePackages(files: readonly string[], stop: (file: string) => boolean): Promise<string[]> {
    const reached = new Set(files);
    for (const file of reached) {
      if (!isPackageFile(file) || !this.#looks(file)) continue;
      for (const more of await this.#wholePackage(packageRoot(file), stop)) reached.add(more);
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

  async #wholePackage(root: string, stop: (file: string) => boolean): Promise<readonly string[]> {
    let known = this.#whole.get(root);
    if (known === undefined) {
      const names = Object.keys(readManifest(join(root, "package.json")).dependencies ?? {});
      const starts = names.map((specifier) => ({ specifier, kind: "require-call" as const, place: undefined }));
      const needs = await this.#tracer.imports(join(root, "package.json"), starts, root);
      known = { own: wholePackage(root), needs };
      this.#whole.set(root, known);
    }
    return [...known.own, ...this.#tracer.closure(known.needs, stop)];
  }
}

function byName(listed: readonly ListedPackage[]): ReadonlyMap<string, ListedPackage> {
  return new Map(listed.map((item) => [item.name, item]));
}

function byPath<T extends { readonly path: string }>(items: Iterable<T>): T[] {
  return [...items].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
}

function seal(artifact: Omit<Artifact, "id">): Artifact {
  const { root: _, externals, ...rest } = artifact;
  const sent = { ...rest, externals: externals.map(({ path, plan }) => ({ path, plan })) };
  return Object.freeze({ id: hashOf(JSON.stringify(sent)), ...artifact });
}
