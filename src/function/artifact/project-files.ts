import { readFileSync } from "node:fs";
import { OWN_NAME } from "./own-package.ts";
import { relative } from "node:path";
import { contentOf } from "../cache/contents.ts";
import { SHARED_TEXT } from "../capture/emit/shared.ts";
import { Lines } from "../capture/lines.ts";
import type { Place } from "../capture/source-map.ts";
import type { ArtifactFile, EntrySource, NamedModule } from "./artifact.ts";
import { isPackageFile, type Layout } from "./layout.ts";
import { refuseMain } from "./refusals.ts";
import { rewriteSpecifiers } from "./rewrite.ts";
import { namesImported } from "./stand-ins.ts";
import type { TracedImport, Tracer } from "./trace.ts";
import { homeKind, type Transformed, transformFiles } from "./transform.ts";
import { CODE, findMore } from "./user-references.ts";
import { buildWritten, contentAt, type Find, pathOf, sharedPath, traceWritten } from "./written-modules.ts";

/** A file of the tree, and where it is from. */
export interface ProjectFile extends ArtifactFile {
  /** The file at home; of a written module, the path that it would have there. */
  readonly original: string;
  readonly find?: Find;
}

interface Made {
  readonly file: string;
  readonly made: Transformed;
}

/** What is emitted for the files of one project. Each is read once, as the program itself reads it once. */
export class ProjectFiles {
  readonly #layout: Layout;
  readonly #tracer: Tracer;
  readonly #byHome = new Map<string, ProjectFile>();
  readonly #byPlace = new Map<string, ProjectFile>();
  /** What else a file names, such as data that it reads, by the file. */
  readonly #assets = new Map<string, readonly string[]>();

  constructor(layout: Layout, tracer: Tracer) {
    this.#layout = layout;
    this.#tracer = tracer;
    this.#put({
      ...contentAt(layout.place(sharedPath(layout)), Buffer.from(SHARED_TEXT)),
      original: sharedPath(layout),
    });
  }

  /** What is sent for a file of home; one that is no code of the user's is sent as it is. */
  get(file: string): ProjectFile {
    const known = this.#byHome.get(file);
    return known ?? this.#put({ ...contentAt(this.#layout.place(file), sentContent(file)), original: file });
  }

  known(file: string): ProjectFile | undefined {
    return this.#byHome.get(file);
  }

  /** What the user wrote at a position of a file of the tree. */
  original(place: string, line: number, column: number): Place | undefined {
    const found = this.#byPlace.get(place);
    if (found === undefined) return undefined;
    return found.find === undefined
      ? { file: found.original, line: line + 1, column: column + 1 }
      : found.find(line, column);
  }

  isWritten = (path: string): boolean => this.#byHome.has(path) && this.#tracer.file(path) !== undefined;

  /** Builds modules that capture wrote, each after those that it imports. */
  async addWritten(modules: readonly NamedModule[], entry: EntrySource): Promise<void> {
    for (const module of modules) {
      const path = pathOf(module);
      if (this.#byHome.has(path)) continue;
      const { imports, assets } = await traceWritten(module, this.isWritten, this.#layout, this.#tracer, entry);
      this.#tracer.extend(path, imports);
      this.#assets.set(path, assets);
      const place = this.#layout.place(path);
      const built = await buildWritten(module, imports, place, this.#layout);
      this.#put({ ...built, original: path });
    }
  }

  /** Everything that the imports reach but what `stop` keeps out, each file of the user's emitted: only its text tells all that it names. */
  async closure(
    imports: readonly TracedImport[],
    entry: EntrySource,
    stop: (file: string) => boolean,
  ): Promise<string[]> {
    const isNew = (file: string): boolean => !isPackageFile(file) && !this.#byHome.has(file);
    for (;;) {
      const reached = this.#tracer.closure(imports, (file) => (entry.isHome(file) && isNew(file)) || stop(file));
      const fresh = reached.filter(isNew);
      if (fresh.length === 0) break;
      await this.#emit(fresh, entry);
    }
    const files = this.#tracer.closure(imports, stop);
    const main = files.find((file) => entry.isHome(file) && isNew(file));
    if (main !== undefined) throw refuseMain(entry, main, this.#importerOf(main, files));
    return [...files, ...files.flatMap((file) => this.#assets.get(file) ?? [])];
  }

  async #emit(files: readonly string[], entry: EntrySource): Promise<void> {
    const code = files.filter((file) => CODE.test(file));
    const kinds = code.map((path) => ({ path, kind: homeKind(path, this.#tracer.file(path)?.format, entry.kind) }));
    const transformed = await transformFiles(kinds);
    const emitted: Made[] = [];
    for (const file of files) {
      const made = transformed.get(file);
      if (made === undefined) this.get(file);
      else emitted.push({ file, made });
    }
    await this.#standIn(emitted, entry);
    for (const each of emitted) await this.#emitOne(each, entry);
  }

  async #emitOne({ file, made }: Made, entry: EntrySource): Promise<void> {
    const { references } = made;
    let lines: Lines | undefined;
    const original = (offset: number): Place | undefined => {
      const { line, column } = (lines ??= new Lines(made.text)).position(offset);
      return made.original(line, column);
    };
    const traced = this.#tracer.file(file)?.imports ?? [];
    const more = await findMore(
      { file, references, kind: made.kind, imports: traced, place: original },
      this.#tracer,
      entry,
    );
    if (more.imports.length > 0) this.#tracer.extend(file, more.imports);
    if (more.assets.length > 0) this.#assets.set(file, more.assets);
    const place = this.#layout.emittedPlace(file);
    const imports = [...traced, ...more.imports];
    const text = rewriteSpecifiers(made.text, made.kind, references, { layout: this.#layout, file, place, imports });
    const find: Find = (line, column) => made.original(line, column);
    this.#put({ ...contentAt(place, Buffer.from(text)), original: file, find });
  }

  /** Leads imports of a file that is never loaded on a node to a module that has its declarations. */
  async #standIn(emitted: readonly Made[], entry: EntrySource): Promise<void> {
    const importers = new Map<string, Map<Made, Set<string>>>();
    for (const each of emitted) {
      for (const { specifier, target, kind } of this.#tracer.file(each.file)?.imports ?? []) {
        if (target === undefined || kind === "dynamic-import" || !entry.isHome(target) || this.#byHome.has(target))
          continue;
        const byFile = importers.get(target) ?? new Map<Made, Set<string>>();
        importers.set(target, byFile.set(each, (byFile.get(each) ?? new Set()).add(specifier)));
      }
    }
    for (const [home, byFile] of importers) {
      const names = new Set(
        [...byFile].flatMap(([each, wanted]) => [
          ...namesImported(each.made.text, each.made.kind, each.made.references, wanted),
        ]),
      );
      const importer = relative(this.#layout.root, [...byFile.keys()][0]!.file);
      const modules = entry.declarations(home, [...names].sort(), importer);
      if (modules === undefined) continue;
      await this.addWritten(modules, entry);
      for (const { file } of byFile.keys()) this.#tracer.redirect(file, home, pathOf(modules.at(-1)!));
    }
  }

  #importerOf(target: string, files: readonly string[]): string | undefined {
    return files.find((file) => this.#tracer.file(file)?.imports.some((item) => item.target === target));
  }

  #put(file: ProjectFile): ProjectFile {
    this.#byHome.set(file.original, file);
    this.#byPlace.set(file.path, file);
    return file;
  }
}

/** Our own repository's package.json goes without its name: by it, "skyward" would mean its sources and not the node's. */
function sentContent(file: string): Buffer {
  const bytes = contentOf(file)?.bytes ?? readFileSync(file);
  if (!file.endsWith("/package.json")) return bytes;
  const { name, ...rest } = JSON.parse(bytes.toString()) as { name?: string };
  return name === OWN_NAME ? Buffer.from(JSON.stringify(rest)) : bytes;
}
