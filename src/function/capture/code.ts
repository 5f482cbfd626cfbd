import type { Artifact, EntrySource, NamedModule, Prepared } from "../artifact/artifact.ts";
import type { ListedPackage } from "../artifact/native/listed.ts";
import type { Reached } from "../artifact/reach.ts";
import { declarationsFor } from "./declarations.ts";
import { emit } from "./emit/entry.ts";
import { type EmittedModule, moduleName } from "./emit/module.ts";
import type { Graph } from "./graph.ts";
import type { KnownImports } from "./known-imports.ts";
import type { Slot, SourceItem } from "./slot.ts";

type AnyFunction = (...args: never) => unknown;

export interface CodeParts {
  readonly name: string;
  readonly file: string;
  readonly line: number;
  readonly imports: KnownImports;
  readonly known: readonly AnyFunction[];
  readonly homes: ReadonlySet<string>;
  readonly entry: EntrySource;
}

/** A function's code: the same object for the same code in one process, whatever values it captures. */
export class Code {
  readonly name: string;
  /** The user's file and line (from 1) of the function. */
  readonly file: string;
  readonly line: number;
  /** The functions and classes that both ends know by their index. */
  readonly known: readonly AnyFunction[];
  /** Files whose declarations travel with it; none of them is imported on a node. */
  readonly homes: ReadonlySet<string>;
  /** What the modules around it import. */
  readonly imports: KnownImports;
  /** Tells codes apart in this process. */
  readonly number: number;
  readonly entry: EntrySource;
  #prepared: Prepared | undefined;
  #ready: Promise<Artifact> | undefined;
  #listing: Map<string, Code> | undefined;
  #lastListing: { readonly listed: readonly ListedPackage[]; readonly code: Code } | undefined;

  constructor({ name, file, line, imports, known, homes, entry }: CodeParts) {
    this.name = name;
    this.file = file;
    this.line = line;
    this.imports = imports;
    this.known = known;
    this.homes = homes;
    this.entry = entry;
    this.number = ++numbers;
  }

  /** Error classes in the function's scopes, by name: its errors come back in them. */
  get errorClasses(): ReadonlyMap<string, AnyFunction> {
    return this.imports.errorClasses;
  }

  /** The same code where these packages are installed rather than sent: always the same object for the same list. */
  with(listed: readonly ListedPackage[]): Code {
    if (listed.length === 0) return this;
    if (this.#lastListing?.listed === listed) return this.#lastListing.code;
    const key = JSON.stringify(listed);
    this.#listing ??= new Map();
    let code = this.#listing.get(key);
    if (code === undefined) {
      const { name, file, line, imports, known, homes } = this;
      code = new Code({ name, file, line, imports, known, homes, entry: { ...this.entry, listed } });
      this.#listing.set(key, code);
    }
    this.#lastListing = { listed, code };
    return code;
  }

  /** The same as `ready` gives, once it has. */
  get artifact(): Artifact | undefined {
    return this.#prepared?.artifact;
  }

  /**
   * The files that the function needs, made once.
   * @throws SkyError SKY_CAPTURE_UNRESOLVED, SKY_CAPTURE_UNSUPPORTED
   */
  ready(): Promise<Artifact> {
    this.#ready ??= import("../artifact/prepare.ts").then(async ({ prepare }) => {
      this.#prepared = await prepare(this.entry);
      return this.#prepared.artifact;
    });
    return this.#ready;
  }

  /** How each file but the entry is reached; after `ready`. */
  reach(): readonly Reached[] {
    return this.#prepared?.reach() ?? [];
  }

  /** The specifiers that lead into a package's folder; after `ready`. */
  wayTo(root: string): readonly string[] {
    return this.#prepared?.wayTo(root) ?? [];
  }

  /** A stack from a node, with the lines of emitted files led back to the user's; after `ready`. */
  mapStack(stack: string): string {
    return this.#prepared?.mapStack(stack) ?? stack;
  }
}

let numbers = 0;
const codes = new Map<string, Code>();

/** The code of a graph: an earlier one where it comes to the same text. */
export function codeOf(
  graph: Graph,
  root: Slot,
  name: string,
  include: readonly string[],
  near?: EntrySource,
): { readonly code: Code; readonly fillings: readonly object[] } {
  const { text: written, file, kind, modules, known, fillings } = emit(graph, root, near);
  const text = written.toString();
  const key = [file, name, ...include, text].join("\0");
  let code = codes.get(key);
  if (code === undefined) {
    const entry: EntrySource = {
      name,
      file,
      kind,
      text,
      entryName: moduleName(file, kind, text),
      place: written.places(),
      include,
      assets: [...graph.assets],
      modules: modules.map(moduleSource),
      isHome: (path) => graph.homes.has(path),
      declarations: (path, names, importer) => {
        const source = sourceOf(root);
        if (source?.module.file !== path) return undefined;
        return declarationsFor(name, source, graph.homes.files, names, importer).map(moduleSource);
      },
    };
    const source = sourceOf(root);
    const place = source?.module.original(source.start) ?? { file, line: 1 };
    const { homes, imports } = graph;
    code = new Code({ name, file: place.file, line: place.line, imports, known, homes: homes.files, entry });
    codes.set(key, code);
  }
  return { code, fillings };
}

/** Where the user wrote the function. */
function sourceOf({ item }: Slot): SourceItem | undefined {
  if (item.kind === "bound") return sourceOf(item.target);
  if (item.kind === "fn") return sourceOf(item.body);
  return item.kind === "source" ? item : undefined;
}

function moduleSource({ file, kind, name, text }: EmittedModule): NamedModule {
  return { file, kind, name, text: text.toString(), place: text.places() };
}
