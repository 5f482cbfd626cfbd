import { dirname, join } from "node:path";
import { SHARED } from "../capture/emit/shared.ts";
import { Lines } from "../capture/lines.ts";
import { OriginalMap, type Place } from "../capture/source-map.ts";
import type { ArtifactFile, EntrySource, ModuleSource, NamedModule } from "./artifact.ts";
import type { Layout } from "./layout.ts";
import { referencesIn } from "./references.ts";
import { rewriteSpecifiers } from "./rewrite.ts";
import { keep } from "./store.ts";
import type { Start, TracedImport, Tracer } from "./trace.ts";
import { transformText } from "./transform.ts";
import { findMore } from "./user-references.ts";

/** From a position in an emitted file (counted from 0) to what the user wrote. */
export type Find = (line: number, column: number) => Place | undefined;

export interface PlacedModule extends ArtifactFile {
  readonly find: Find;
}

/** Where the imports of a module that capture wrote lead, and the files that it needs besides. */
export interface WrittenImports {
  readonly imports: readonly TracedImport[];
  readonly assets: readonly string[];
}

/** Where a written module lies: beside its file, though only in the tree. */
export function pathOf({ file, name }: NamedModule): string {
  return join(dirname(file), name);
}

/** Where the module that written modules share stands in a project's tree. */
export function sharedPath({ root }: Layout): string {
  return join(root, ".sky", "shared.cjs");
}

/** Finds where the imports of a written module lead; `isWritten` knows those that are written too. */
export async function traceWritten(
  source: ModuleSource,
  isWritten: (path: string) => boolean,
  layout: Layout,
  tracer: Tracer,
  entry: EntrySource,
): Promise<WrittenImports> {
  const references = referencesIn(source.text, source.kind);
  const lines = new Lines(source.text);
  const place = (offset: number): Place | undefined => {
    const { line, column } = lines.position(offset);
    return source.place(line, column);
  };
  const written: TracedImport[] = [];
  const starts: Start[] = [];
  for (const { value, kind, start } of references.specifiers) {
    const target = value === SHARED ? sharedPath(layout) : join(dirname(source.file), value);
    if (value === SHARED || isWritten(target)) written.push({ specifier: value, kind, target, own: false });
    else if (kind !== "new-url") starts.push({ specifier: value, kind, place: place(start) });
  }
  const imports = [...written, ...(await tracer.imports(source.file, starts, entry.name))];
  const more = await findMore({ file: source.file, references, kind: source.kind, imports, place }, tracer, entry);
  return { imports: [...imports, ...more.imports], assets: more.assets };
}

/** Builds a written module for its place beside its file; what its text becomes may be on its way already. */
export async function buildWritten(
  source: ModuleSource,
  imports: readonly TracedImport[],
  place: string,
  layout: Layout,
  transformed = transformText(source.text),
): Promise<PlacedModule> {
  const made = await transformed;
  const references = referencesIn(made.text, source.kind);
  const text = rewriteSpecifiers(made.text, source.kind, references, { layout, file: source.file, place, imports });
  let map: OriginalMap | undefined;
  return {
    ...contentAt(place, Buffer.from(text)),
    find: (line, column) => {
      map ??= new OriginalMap(made.map, source.file);
      const inText = map.original(line, column);
      return inText === undefined ? undefined : source.place(inText.line - 1, inText.column - 1);
    },
  };
}

export function contentAt(path: string, bytes: Uint8Array): ArtifactFile {
  return { path, hash: keep(bytes), size: bytes.byteLength };
}
