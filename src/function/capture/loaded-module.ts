import type { Reference, Scope, Variable } from "eslint-scope";
import { isBuiltin } from "node:module";
import { fileURLToPath } from "node:url";
import { Facts } from "./facts.ts";
import { type FunctionLocation, scriptUrl } from "./inspector.ts";
import { Lines } from "./lines.ts";
import { engineSource, type LoadedSource, loadSource, startOf } from "./loaded-source.ts";
import { type DynamicNames, dynamicNamesIn } from "./dynamic-names.ts";
import { exportedName, localName, requiredName } from "./exports.ts";
import { type ImportedName, importsIn } from "./imports.ts";
import { childrenOf, type Node, parseWithScopes } from "./parser.ts";
import type { OriginalMap, Place } from "./source-map.ts";
import { TopLevel } from "./top-level.ts";
import { wrapperIn } from "./wrapper.ts";

/** The use of a variable inside some stretch of a module. */
export interface Use {
  readonly name: string;
  readonly start: number;
  readonly end: number;
  /** Undefined for a name that no declaration in the module explains: a global. */
  readonly variable: Variable | undefined;
  readonly writes: boolean;
}

/** A module of the running program: its loaded text, what it declares, and the way back to what the user wrote. */
export class LoadedModule {
  readonly file: string;
  readonly kind: "esm" | "cjs";
  readonly source: string;
  readonly lines: Lines;
  readonly ast: Node;
  /** What its import statements declare. */
  readonly imports: readonly ImportedName[];
  /** The function that a test runner puts around a module, where there is one. */
  readonly wrapper: Node | undefined;
  readonly top: TopLevel;
  /** How many lines the engine's text has before ours: what a loader put in front. */
  linesBefore = 0;
  readonly #map: OriginalMap | undefined;
  readonly #uses: readonly Use[];
  readonly #facts = new Map<Node, Facts>();
  readonly #scopes: readonly Scope[];
  #dynamic: readonly DynamicNames[] | undefined;

  constructor(file: string, kind: "esm" | "cjs", source: string, map: OriginalMap | undefined) {
    this.file = file;
    this.source = source;
    this.lines = new Lines(source);
    this.#map = map;
    const { ast, scopes } = parseWithScopes(source, kind);
    this.ast = ast;
    const wrapper = wrapperIn(ast);
    this.wrapper = wrapper?.node;
    this.top = new TopLevel(ast, wrapper?.node);
    this.kind = wrapper?.kind ?? kind;
    this.imports = importsIn(ast, source);
    this.#scopes = scopes.scopes;
    this.#uses = scopes.scopes.flatMap((scope) => scope.references.map(toUse)).sort((a, b) => a.start - b.start);
  }

  /** What the stretch uses and does not itself declare. */
  freeUses(start: number, end: number): Use[] {
    const found: Use[] = [];
    for (let i = this.#firstFrom(start); i < this.#uses.length && this.#uses[i]!.start < end; i++) {
      const use = this.#uses[i]!;
      const block = use.variable?.scope.block as unknown as Node | undefined;
      const inside = block !== undefined && block.start >= start && block.end <= end;
      if (!inside) found.push(use);
    }
    return found;
  }

  /** The first place in the stretch where only the run tells what names mean. */
  dynamicNames(start: number, end: number): DynamicNames | undefined {
    this.#dynamic ??= dynamicNamesIn(this.ast, this.source);
    return this.#dynamic.find((found) => found.start >= start && found.start < end);
  }

  /** The function, class or method whose text is this stretch. */
  nodeAt(start: number, end: number): Node | undefined {
    let node: Node | undefined = this.ast;
    while (node !== undefined) {
      if (/Function|Class(Declaration|Expression)/.test(node.type) && node.end === end && node.start >= start)
        return node;
      let next: Node | undefined;
      for (const child of childrenOf(node)) if (child.start < end && child.end >= end) next = child;
      node = next;
    }
    return undefined;
  }

  /** The name under which the module's top level declares the function or class, where it does. */
  declaredName(node: Node): string | undefined {
    const around = this.top.around(node).slice(-2);
    if (node.type.endsWith("Declaration")) return (node["id"] as { name?: string } | null | undefined)?.name;
    // `const f = () => ...`, or `const f = __name(() => ..., "f")`, which esbuild makes of it.
    const declarator = around.findLast((item) => item.type === "VariableDeclarator");
    const init = declarator?.["init"] as Node | undefined;
    const id = declarator?.["id"] as Node | undefined;
    const isIt =
      init === node ||
      (init?.type === "CallExpression" && (init["arguments"] as readonly Node[])[0] === node && isNamed(init));
    return isIt && id?.type === "Identifier" ? (id["name"] as string) : undefined;
  }

  /** The variable of the top level behind one of the module's own exports. */
  exportedVariable(exported: string): Variable | undefined {
    const local = this.kind === "esm" && this.wrapper === undefined ? localName(this.ast, exported) : exported;
    const all = this.#scopes.filter((scope) => this.top.isScope(scope)).flatMap((scope) => scope.variables);
    return all.find((variable) => variable.name === local && variable.defs.length > 0);
  }

  /** The innermost node of exactly this stretch. */
  nodeFrom(start: number, end: number): Node | undefined {
    let at: Node | undefined = this.ast;
    let found: Node | undefined;
    while (at !== undefined) {
      if (at.start === start && at.end === end) found = at;
      let next: Node | undefined;
      for (const child of childrenOf(at)) if (child.start <= start && child.end >= end) next = child;
      at = next;
    }
    return found;
  }

  /**
   * The name under which the module exports what its top level declares as `name`; `value` is that. A CommonJS module
   * is asked itself.
   */
  exportedAs(name: string, value: unknown): string | undefined {
    if (this.wrapper !== undefined) return undefined;
    return this.kind === "esm" ? exportedName(this.ast, name) : requiredName(this.file, value);
  }

  /** What is special about the names inside `node`. */
  factsOf(node: Node): Facts {
    let facts = this.#facts.get(node);
    if (facts === undefined) this.#facts.set(node, (facts = new Facts(node)));
    return facts;
  }

  startOf(text: string, location: FunctionLocation): number | undefined {
    return startOf(this.source, text, { ...location, line: location.line - this.linesBefore });
  }

  /** The place in the user's own file that an offset of the loaded text comes from. */
  original(offset: number): Place {
    const { line, column } = this.lines.position(offset);
    return this.#map?.original(line, column) ?? { file: this.file, line: line + 1, column: column + 1 };
  }

  /** The text of the user's own file, when it can be had. */
  originalText(file: string): string | undefined {
    if (this.#map === undefined) return file === this.file ? this.source : undefined;
    return this.#map.text(file);
  }

  #firstFrom(start: number): number {
    let low = 0;
    let high = this.#uses.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#uses[middle]!.start < start) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** `__name(f, "f")`, whatever a minifier calls it. */
function isNamed(call: Node): boolean {
  const args = call["arguments"] as readonly Node[];
  return args.length === 2 && typeof args[1]!["value"] === "string";
}

function toUse(reference: Reference): Use {
  const identifier = reference.identifier as unknown as Node;
  return {
    name: identifier["name"] as string,
    start: identifier.start,
    end: identifier.end,
    variable: reference.resolved ?? undefined,
    writes: reference.isWrite(),
  };
}

const modules = new Map<string, LoadedModule>();

/** Why a function's module could not be read, in words that end a sentence. */
export type Unreadable = { readonly why: string };

/** The module that a live function is in. */
export function moduleOf(text: string, location: FunctionLocation, kind: "esm" | "cjs"): LoadedModule | Unreadable {
  const known = modules.get(location.scriptId);
  if (known !== undefined) {
    if (known.startOf(text, location) !== undefined) return known;
  }
  const url = scriptUrl(location.scriptId);
  const file = url === undefined ? undefined : fileOfUrl(url);
  if (url === undefined || file === undefined)
    return { why: url ? `it was not loaded from a file but from ${url}` : "it was made from a text at run time" };
  const loaded = loadSource(file, kind, text, location);
  if (loaded === undefined)
    return { why: `the text that ${file} was loaded with can't be found; was the file changed?` };
  let made: LoadedModule;
  try {
    made = parsed(file, kind, loaded, text, location);
  } catch (error) {
    return { why: `the text that ${file} was loaded with can't be parsed: ${(error as Error).message}` };
  }
  made.linesBefore = loaded.linesBefore ?? 0;
  const start = made.startOf(text, location);
  if (start !== undefined) made.linesBefore = location.line - made.lines.position(start).line;
  modules.set(location.scriptId, made);
  return made;
}

/** What looks like the text on disk may be the same words in TypeScript: what a test runner compiles keeps its lines. */
function parsed(
  file: string,
  kind: "esm" | "cjs",
  loaded: LoadedSource,
  text: string,
  location: FunctionLocation,
): LoadedModule {
  try {
    return inForm(file, kind, loaded);
  } catch (error) {
    const other = engineSource(file, text, location);
    if (other === undefined) throw error;
    return inForm(file, kind, other);
  }
}

/** The engine shows no module scope to a function when nothing in its module is captured: then the text tells the form. */
function inForm(file: string, kind: "esm" | "cjs", { source, map }: LoadedSource): LoadedModule {
  try {
    return new LoadedModule(file, kind, source, map);
  } catch (error) {
    if (kind === "esm" || !/'sourceType: module'/.test((error as Error).message)) throw error;
    return new LoadedModule(file, "esm", source, map);
  }
}

export function fileOfUrl(url: string): string | undefined {
  if (url.startsWith("file://")) return fileURLToPath(url.split("?")[0]!);
  if (url.startsWith("node:") || isBuiltin(url)) return undefined;
  return url.startsWith("/") ? url.split("?")[0] : undefined;
}
