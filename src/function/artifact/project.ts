import { readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { SkyError } from "../../errors/sky-error.ts";
import { Lines } from "../capture/lines.ts";
import { OriginalMap, type Place } from "../capture/source-map.ts";
import type { Artifact, ArtifactFile, ArtifactLink, EntrySource, Prepared } from "./artifact.ts";
import { isPackageFile, Layout, packageRoot, readManifest } from "./layout.ts";
import { linksOf, looksAtItsPlace, manifestsOf, refuseNative, wholePackage } from "./packages.ts";
import { type Reached, reachOf } from "./reach.ts";
import { rewriteSpecifiers } from "./rewrite.ts";
import { mapFrames, type PlaceFinder } from "./stack.ts";
import { hashOf, keep } from "./store.ts";
import { specifiersIn } from "./specifiers.ts";
import { type Start, type TracedImport, Tracer } from "./trace.ts";
import { homeKind, transformFiles, transformText } from "./transform.ts";

interface Emitted extends ArtifactFile {
  /** The file at home. */
  readonly original: string;
  readonly map?: OriginalMap;
}

const CODE = /\.[cm]?[jt]sx?$/;

/** The files of one project, as far as functions reached them. Each is read once, as the program itself reads it once. */
export class Project {
  readonly #layout: Layout;
  readonly #tracer: Tracer;
  readonly #conditions: readonly string[];
  readonly #emitted = new Map<string, Emitted>();
  readonly #byPlace = new Map<string, Emitted>();
  readonly #whole = new Map<string, readonly string[]>();
  readonly #looking = new Map<string, boolean>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(root: string, conditions: readonly string[]) {
    this.#layout = new Layout(root);
    this.#conditions = conditions;
    this.#tracer = new Tracer(root, conditions);
  }

  /** One at a time: two functions mostly reach the same files, and the second then finds them done. */
  prepare(entry: EntrySource): Promise<Prepared> {
    const next = this.#last.then(() => this.#prepare(entry));
    this.#last = next.catch(() => undefined);
    return next;
  }

  async #prepare(entry: EntrySource): Promise<Prepared> {
    const imports = await this.#tracer.imports(entry.file, startsOf(entry), entry.name);
    const files = this.#tracer.closure(imports);
    await this.#emitUserFiles(
      files.filter((file) => !isPackageFile(file)),
      entry,
    );
    const own = await this.#emitEntry(entry, imports);
    const reached = await this.#withWholePackages(files, entry);
    const manifests = new Set([entry.file, ...reached].flatMap((file) => manifestsOf(file, this.#layout)));
    const links = new Map<string, ArtifactLink>();
    const link = (file: string, list: typeof imports): void => {
      for (const item of linksOf(file, list, this.#layout)) links.set(item.path, item);
    };
    link(entry.file, imports);
    for (const file of reached) link(file, this.#tracer.file(file)?.imports ?? []);
    const all = new Map<string, ArtifactFile>([[own.path, own]]);
    for (const file of [...reached, ...manifests]) {
      const emitted = this.#emitted.get(file) ?? this.#raw(file);
      all.set(emitted.path, { path: emitted.path, hash: emitted.hash, size: emitted.size });
    }
    const artifact = seal({
      root: this.#layout.root,
      entry: own.path,
      files: byPath(all.values()),
      links: byPath(links.values()),
      conditions: this.#conditions,
    });
    const find: PlaceFinder = (place, line, column) =>
      place === own.path ? own.place(line, column) : this.#original(place, line, column);
    const reach = (): Reached[] =>
      reachOf({
        imports,
        files: new Set([...reached, ...manifests]),
        trace: (file) => this.#tracer.file(file),
        sent: (file) => this.#emitted.get(file),
        looks: (file) => this.#looks(file),
      });
    return { artifact, mapStack: (stack) => mapFrames(stack, find), reach };
  }

  async #emitUserFiles(files: readonly string[], entry: EntrySource): Promise<void> {
    const fresh = files.filter((file) => !this.#emitted.has(file));
    const code = fresh.filter((file) => CODE.test(file));
    const kinds = code.map((path) => ({ path, kind: homeKind(path, this.#tracer.file(path)?.format, entry.kind) }));
    const transformed = await transformFiles(kinds);
    for (const file of fresh) {
      const made = transformed.get(file);
      if (made === undefined) {
        this.#raw(file);
        continue;
      }
      const place = this.#layout.emittedPlace(file);
      const text = rewriteSpecifiers(made.text, made.kind, {
        layout: this.#layout,
        file,
        place,
        imports: this.#tracer.file(file)?.imports ?? [],
      });
      this.#put({ ...content(place, Buffer.from(text)), original: file, map: made.map });
    }
  }

  async #emitEntry(
    entry: EntrySource,
    imports: readonly TracedImport[],
  ): Promise<ArtifactFile & { place: (line: number, column: number) => Place | undefined }> {
    const made = await transformText(entry.text);
    // Beside its source, so that what is relative to that is relative to it.
    const beside = this.#layout.place(join(dirname(entry.file), `${basename(entry.file).replace(/\.[^.]+$/, "")}.sky`));
    const text = rewriteSpecifiers(made.text, entry.kind, {
      layout: this.#layout,
      file: entry.file,
      place: beside,
      imports,
    });
    const place = `${beside}-${hashOf(text).slice(0, 12)}.${entry.kind === "esm" ? "mjs" : "cjs"}`;
    let map: OriginalMap | undefined;
    return {
      ...content(place, Buffer.from(text)),
      place: (line, column) => {
        map ??= new OriginalMap(made.map, entry.file);
        const inText = map.original(line, column);
        return inText === undefined ? undefined : entry.place(inText.line - 1, inText.column - 1);
      },
    };
  }

  /** The files, and all others of packages that look for files beside themselves, with what those depend on. */
  async #withWholePackages(files: readonly string[], entry: EntrySource): Promise<string[]> {
    const reached = new Set(files);
    for (const file of reached) {
      if (!isPackageFile(file)) continue;
      if (file.endsWith(".node")) throw nativeFile(file, entry);
      const root = packageRoot(file);
      refuseNative(root, entry);
      if (this.#looks(file)) for (const more of await this.#wholePackage(root)) reached.add(more);
    }
    return [...reached];
  }

  #looks(file: string): boolean {
    let looks = this.#looking.get(file);
    if (looks === undefined) {
      looks = CODE.test(file) && looksAtItsPlace(readFileSync(file));
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

  #raw(file: string): Emitted {
    const known = this.#emitted.get(file);
    if (known !== undefined) return known;
    return this.#put({ ...content(this.#layout.place(file), rawContent(file)), original: file });
  }

  #put(emitted: Emitted): Emitted {
    this.#emitted.set(emitted.original, emitted);
    this.#byPlace.set(emitted.path, emitted);
    return emitted;
  }

  #original(place: string, line: number, column: number): Place | undefined {
    const emitted = this.#byPlace.get(place);
    if (emitted === undefined) return undefined;
    return emitted.map?.original(line, column) ?? { file: emitted.original, line: line + 1, column: column + 1 };
  }
}

function startsOf(entry: EntrySource): Start[] {
  const lines = new Lines(entry.text);
  return specifiersIn(entry.text, entry.kind).flatMap(({ value, kind, start }) => {
    const { line, column } = lines.position(start);
    return kind === "new-url" ? [] : [{ specifier: value, kind, place: entry.place(line, column) }];
  });
}

function content(path: string, bytes: Uint8Array): ArtifactFile {
  return { path, hash: keep(bytes), size: bytes.byteLength };
}

function byPath<T extends { readonly path: string }>(items: Iterable<T>): T[] {
  return [...items].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
}

function seal(artifact: Omit<Artifact, "id">): Artifact {
  const { root: _, ...sent } = artifact;
  return Object.freeze({ id: hashOf(JSON.stringify(sent)), ...artifact });
}

function nativeFile(file: string, entry: EntrySource): SkyError {
  return new SkyError("SKY_CAPTURE_UNSUPPORTED", `${entry.name} can't be sent: it reaches native code, ${file}.`, {
    hint: "Use it outside of the function, or a package without native code in its place.",
    details: { stage: "artifact", function: entry.name, file },
  });
}

/** Our own repository's package.json goes without its name there: by it, "skyward" would mean its sources and not the node's. */
function rawContent(file: string): Buffer {
  const bytes = readFileSync(file);
  if (!file.endsWith("/package.json")) return bytes;
  const { name, ...rest } = JSON.parse(bytes.toString()) as { name?: string };
  return name === "skyward" ? Buffer.from(JSON.stringify(rest)) : bytes;
}
