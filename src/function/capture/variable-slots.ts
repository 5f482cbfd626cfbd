import type { Variable } from "eslint-scope";
import { dirname } from "node:path";
import { types } from "node:util";
import type { Graph } from "./graph.ts";
import type { LiveFunction } from "./inspector.ts";
import { isSameVariable, type LivePlace, placeOf } from "./live-place.ts";
import type { LoadedModule, Use } from "./loaded-module.ts";
import { comesFromOwnPlace, META_TEXT, onlyJoinsPaths, placesIn } from "./own-place.ts";
import type { Node } from "./parser.ts";
import { WHOLE } from "./paths.ts";
import { type Path, refuse } from "./refuse.ts";
import type { Reader, Replacement, Slot, TextItem } from "./slot.ts";
import { publicName } from "./surface.ts";
import { interopHelper, RUNNER_NAMES, runnerModule, runnerReplacement, runnerSpecifier } from "./test-runner.ts";
import { isBeforeDeclaration } from "./unset.ts";
import { type Declared, declarationOf, IMPORT_META, isTimeless, mayBeUndefined } from "./variable.ts";

type AnyFunction = (...args: never) => unknown;

/** What a CommonJS module is given without declaring it; the emitted module is given the same. */
const AMBIENT = new Set(["require", "__dirname", "__filename"]);

/** Where a name is used: a live function, and the stretch of source that its name stands in. */
export interface UseContext {
  readonly live: LiveFunction;
  readonly holder: AnyFunction;
  /** The holder's syntax. */
  readonly node: Node;
  readonly module: LoadedModule;
  readonly path: Path;
  readonly globals: Set<string>;
  readonly replacements: Replacement[];
}

interface Known {
  readonly slot: Slot;
  readonly place: LivePlace | undefined;
}

/** The slots of variables: each variable of the program is one, whatever functions use it. */
export class VariableSlots {
  readonly #graph: Graph;
  readonly #known = new Map<Variable, Known[]>();
  /** Variables of which it can't be told whether they are one or two. */
  readonly #ambiguous: { readonly slots: readonly Slot[]; readonly path: Path }[] = [];

  constructor(graph: Graph) {
    this.#graph = graph;
  }

  /** The slot that a free name of some source stands for; undefined for one that it finds on the node by itself. */
  slotFor(use: Use, context: UseContext): Slot | undefined {
    const { module, live, holder, node, globals } = context;
    const path = context.path.to(use.name, module.original(use.start));
    const place = placeOf(use.name, live, holder, node);
    if (isAmbient(use, place, module)) {
      if (place !== undefined) this.#checkHome(module, path);
      globals.add(use.name);
      return undefined;
    }
    const runner = use.variable !== undefined && Object.hasOwn(RUNNER_NAMES, use.name);
    if (runner && module.wrapper !== undefined && module.kind === "esm") return this.#runnerName(use, context);
    const interop = module.kind === "cjs" && use.variable !== undefined ? interopHelper(use.name) : undefined;
    if (interop !== undefined) {
      const known = this.#sameSlot(use.variable!, undefined, module, path);
      const made = known ?? this.#graph.add(use.name, { kind: "expression", text: interop });
      return known ?? this.#remember(use.variable!, made, undefined);
    }
    const declared = use.variable === undefined ? undefined : declarationOf(use.variable, module);
    if (declared !== undefined && declared.kind !== "other") {
      const found = this.#moduleSlot(use, declared, place, context, path);
      if (found !== undefined) return found;
    }
    return this.#liveSlot(use, declared, place, context, path);
  }

  /**
   * Refuses what could be shared or not, and is written, so that it matters.
   * @throws SkyError SKY_CAPTURE_UNSUPPORTED
   */
  checkAmbiguous(): void {
    for (const { slots, path } of this.#ambiguous) {
      for (const { uses } of this.#graph.stretches()) {
        if (!uses.some((use) => use.writes && slots.includes(use.slot))) continue;
        const why = "is assigned by several functions of which can't be told whether they share it";
        const hint = `Keep it in an object, such as const state = { ${path.last}: ... }, which is known by what it is.`;
        throw refuse("SKY_CAPTURE_UNSUPPORTED", path, "", why, hint);
      }
    }
  }

  #liveSlot(
    use: Use,
    declared: Declared | undefined,
    place: LivePlace | undefined,
    context: UseContext,
    path: Path,
  ): Slot {
    const { module } = context;
    const constant = declared?.kind === "other" && declared.constant;
    const initialiser = declared?.kind === "other" ? declared.initialiser : undefined;
    if (place === undefined) {
      if (constant && initialiser !== undefined && isTimeless(initialiser))
        return (
          this.#sameSlot(use.variable!, undefined, module, path) ??
          this.#textSlot(use, initialiser, undefined, context, path)
        );
      const why = "can't be read: the engine keeps no value for it";
      throw refuse("SKY_CAPTURE_UNSUPPORTED", path, "", why, "Pass it as an argument.");
    }
    if ("unset" in place.variable) throw refuseUnset(path);
    const { value } = place.variable;
    if (value === undefined && use.variable !== undefined && declared?.kind === "other") {
      // Node 20 reads a binding that has no value yet as undefined.
      if (constant && !mayBeUndefined(initialiser)) throw refuseUnset(path);
      if (isBeforeDeclaration(use.variable, module)) throw refuseUnset(path);
    }
    if (IMPORT_META.test(use.name) && typeof value === "object" && value !== null && module.kind === "cjs")
      return this.#remember(
        use.variable!,
        this.#graph.add(use.name, { kind: "expression", text: META_TEXT }, value),
        undefined,
      );
    if (typeof value === "function") this.#noteOrigin(use, value as AnyFunction);
    if (constant && (typeof value === "function" || typeof value === "symbol"))
      return this.#named(this.#graph.any(value, use.name, path), use, module);
    const known = use.variable === undefined ? undefined : this.#sameSlot(use.variable, place, module, path);
    if (known !== undefined) return known;
    if (constant && initialiser !== undefined && module.top.isScope(use.variable!.scope)) {
      const derived = this.#derivedSlot(use, initialiser, value, context, path);
      if (derived !== undefined) return derived;
    }
    const slot = this.#newVariable(use, value, constant, place, path);
    if (use.variable === undefined) return slot;
    this.#named(slot, use, module);
    return this.#remember(use.variable, slot, place);
  }

  #newVariable(use: Use, value: unknown, constant: boolean, place: LivePlace, path: Path): Slot {
    const reader: Reader = { holder: place.holder, name: use.name, path, value, parts: WHOLE };
    if (typeof value === "function") {
      const alias: Slot = { preferred: use.name, item: { kind: "value" }, constant, reader };
      this.#graph.slots.push(alias);
      alias.item = { kind: "alias", of: this.#graph.any(value, use.name, path) };
      return alias;
    }
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    const special = isObject ? this.#graph.knownObject(value, use.name) : undefined;
    return special ?? this.#graph.values.add(use.name, constant, reader);
  }

  /** A path that the module works out from its own place is worked out again on the node, where that is another. */
  #derivedSlot(use: Use, initialiser: Node, value: unknown, context: UseContext, path: Path): Slot | undefined {
    const { module } = context;
    if (!comesFromOwnPlace(value, initialiser, module)) return undefined;
    const valueOf = (name: string): unknown => {
      const found = placeOf(name, context.live, context.holder, context.node)?.variable;
      return found !== undefined && "value" in found ? found.value : undefined;
    };
    if (!onlyJoinsPaths(initialiser, valueOf)) {
      const why = "holds paths of this machine, made from the place of its own file";
      const hint = "Put the path together inside the function, or make it of join(), new URL() and import.meta alone.";
      throw refuse("SKY_CAPTURE_UNSUPPORTED", path, "", why, hint);
    }
    this.#checkHome(module, path);
    for (const place of placesIn(value, module.file)) this.#graph.assets.add(place);
    return this.#textSlot(use, initialiser, undefined, context, path);
  }

  #moduleSlot(
    use: Use,
    declared: Exclude<Declared, { kind: "other" }>,
    place: LivePlace | undefined,
    context: UseContext,
    path: Path,
  ): Slot | undefined {
    const { module } = context;
    const { homes } = this.#graph;
    const live = place !== undefined && "value" in place.variable ? place.variable.value : undefined;
    const own = publicName(live);
    if (own !== undefined) return this.#graph.sky(own);
    const isHome =
      declared.specifier !== undefined &&
      (homes.leadsTo(declared.specifier, module.file) ||
        (isOwnSpecifier(declared.specifier) && typeof live === "function" && homes.declares(live as AnyFunction)));
    if (isHome && place !== undefined) return undefined;
    const known = this.#sameSlot(use.variable!, undefined, module, path);
    if (known !== undefined) return known;
    if (declared.kind === "require") {
      this.#checkHome(module, path);
      return withExports(this.#textSlot(use, declared.node, declared.pattern, context, path), live);
    }
    const { imported, attributes } = declared;
    const fromRunner = module.wrapper !== undefined;
    const stand = fromRunner ? runnerModule(declared.specifier) : undefined;
    if (stand !== undefined)
      return this.#remember(use.variable!, this.#graph.add(use.name, { kind: "expression", text: stand }), undefined);
    const specifier = fromRunner ? runnerSpecifier(declared.specifier, module.file) : declared.specifier;
    const slot = this.#graph.add(use.name, {
      kind: "import",
      specifier,
      imported,
      attributes,
      base: module.file,
      ...(fromRunner ? { interop: true } : {}),
    });
    if (typeof live === "function") slot.live = live as AnyFunction;
    return this.#remember(use.variable!, withExports(slot, live), undefined);
  }

  /** A variable that is made again from its initialiser. */
  #textSlot(use: Use, initialiser: Node, pattern: string | undefined, context: UseContext, path: Path): Slot {
    const { module, live, holder, node } = context;
    const { start, end } = initialiser;
    const item: TextItem = {
      kind: "text",
      module,
      start,
      end,
      node: initialiser,
      pattern,
      name: use.name,
      uses: [],
      replacements: [],
      globals: new Set(),
    };
    const slot = this.#remember(use.variable!, this.#graph.add(use.name, item), undefined);
    this.#graph.bindUses(item, live, holder, node, path);
    return slot;
  }

  #runnerName(use: Use, { module, replacements, globals }: UseContext): Slot | undefined {
    const text = RUNNER_NAMES[use.name]!;
    const callee = module.nodeFrom(use.start, use.end);
    const replacement = callee === undefined ? undefined : runnerReplacement(callee, module);
    replacements.push({ start: use.start, end: use.end, text });
    if (replacement !== undefined) replacements.push(replacement);
    globals.add(use.name);
    return undefined;
  }

  /** `require` and the like mean another thing in another folder. */
  #checkHome(module: LoadedModule, path: Path): void {
    const { file } = this.#graph;
    if (file === undefined || dirname(file) === dirname(module.file)) return;
    const why = `belongs to ${module.file}, which is in another folder than the function`;
    throw refuse("SKY_CAPTURE_UNSUPPORTED", path, "", why, "Export it there, and import it where the function is.");
  }

  /** `const { add, get } = account()`: functions that one expression gave. */
  #noteOrigin({ variable }: Use, value: AnyFunction): void {
    const node = variable?.defs[0]?.node as unknown as Node | undefined;
    const isPattern = node?.type === "VariableDeclarator" && (node["id"] as Node).type !== "Identifier";
    if (isPattern && !this.#graph.madeWith.has(value)) this.#graph.madeWith.set(value, node);
  }

  #named(slot: Slot, { variable }: Use, module: LoadedModule): Slot {
    if (slot.top === undefined && variable !== undefined && module.top.isScope(variable.scope))
      slot.top = { file: module.file, kind: module.kind, name: variable.name };
    return slot;
  }

  #sameSlot(variable: Variable, place: LivePlace | undefined, module: LoadedModule, path: Path): Slot | undefined {
    for (const known of this.#known.get(variable) ?? []) {
      if (known.place === undefined || place === undefined) return known.slot;
      const same = isSameVariable(known.place, place, variable, module, this.#graph.madeWith);
      if (same === true) return known.slot;
      if (same === undefined) {
        // Of one text they are taken for two, of several for one; that is refused if one of them writes it.
        this.#ambiguous.push({ slots: [known.slot], path });
        if (known.place.node !== place.node) return known.slot;
      }
    }
    return undefined;
  }

  #remember(variable: Variable, slot: Slot, place: LivePlace | undefined): Slot {
    const list = this.#known.get(variable);
    if (list === undefined) this.#known.set(variable, [{ slot, place }]);
    else list.push({ slot, place });
    return slot;
  }
}

function withExports(slot: Slot, live: unknown): Slot {
  if (typeof live === "object" && live !== null && !types.isProxy(live))
    slot.exports = live as Slot["exports"] & object;
  return slot;
}

function isAmbient(use: Use, place: LivePlace | undefined, module: LoadedModule): boolean {
  const given = use.variable === undefined || use.variable.scope.block === (module.wrapper as unknown);
  if (!given) return false;
  if (AMBIENT.has(use.name)) return module.kind === "cjs" || place === undefined;
  return use.variable === undefined && place === undefined;
}

/** Whether it may lead to a file of the user's own. */
function isOwnSpecifier(specifier: string): boolean {
  return /^(\.{0,2}\/|[#~@]\/?)/.test(specifier);
}

function refuseUnset(path: Path): Error {
  const why = "has no value yet: the call comes before its declaration was reached";
  const hint = `Dispatch after the line that declares ${path.last}, or move the declaration up.`;
  return refuse("SKY_CAPTURE_UNSUPPORTED", path, "", why, hint);
}
