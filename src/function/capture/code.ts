import type { Artifact, EntrySource, Prepared } from "../artifact/artifact.ts";
import type { Reached } from "../artifact/reach.ts";
import { emit, type Emitted } from "./emit.ts";
import type { Graph } from "./graph.ts";

type AnyFunction = (...args: never) => unknown;

/** A function's code: the same object for the same code in one process, whatever values it captures. */
export class Code {
  readonly name: string;
  /** The user's file and line (from 1) of the function. */
  readonly file: string;
  readonly line: number;
  /** Error classes in the function's scopes, by name: its errors come back in them. */
  readonly errorClasses: ReadonlyMap<string, AnyFunction>;
  readonly #entry: EntrySource;
  #prepared: Prepared | undefined;
  #ready: Promise<Artifact> | undefined;

  constructor(graph: Graph, emitted: Emitted, name: string, include: readonly string[]) {
    const { module, start } = graph.rootSource;
    const place = module.original(start);
    this.name = name;
    this.file = place.file;
    this.line = place.line;
    this.errorClasses = graph.errorClasses;
    this.#entry = {
      name,
      file: module.file,
      kind: module.kind,
      text: emitted.text.toString(),
      place: emitted.text.places(),
      include,
    };
  }

  /** The text of the entry module, as it is before it is built. */
  get entryText(): string {
    return this.#entry.text;
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
      this.#prepared = await prepare(this.#entry);
      return this.#prepared.artifact;
    });
    return this.#ready;
  }

  /** How each file but the entry is reached; after `ready`. */
  reach(): readonly Reached[] {
    return this.#prepared?.reach() ?? [];
  }

  /** A stack from a node, with the lines of emitted files led back to the user's; after `ready`. */
  mapStack(stack: string): string {
    return this.#prepared?.mapStack(stack) ?? stack;
  }
}

const codes = new Map<string, Code>();

/** The code of a graph: an earlier one where it comes to the same text. */
export function codeOf(
  graph: Graph,
  name: string,
  include: readonly string[],
): { readonly code: Code; readonly fillings: readonly object[] } {
  const emitted = emit(graph);
  const key = [graph.rootSource.module.file, name, ...include, emitted.text.toString()].join("\0");
  let code = codes.get(key);
  if (code === undefined) {
    code = new Code(graph, emitted, name, include);
    codes.set(key, code);
  }
  return { code, fillings: emitted.fillings };
}
