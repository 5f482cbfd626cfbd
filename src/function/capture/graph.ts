import { dirname } from "node:path";
import { types } from "node:util";
import { bodyOf, isFn } from "../brand.ts";
import { declarationOf, isTimeless, mayBeUndefined } from "./variable.ts";
import { inspectBound, inspectFunction, type LiveFunction, type LiveScope } from "./inspector.ts";
import { NAMESPACE } from "./imports.ts";
import { wellKnown } from "./intrinsics.ts";
import { type LoadedModule, moduleOf, type Use } from "./loaded-module.ts";
import { Path, refuse } from "./refuse.ts";
import type { BoundUse, Item, Reader, Slot } from "./slot.ts";
import { publicName } from "./surface.ts";
import { checkForm } from "./form.ts";
import { importItem, KnownImports } from "./known-imports.ts";
import { type Holes, surveyValue } from "./survey.ts";

type AnyFunction = (...args: never) => unknown;
type Source = Extract<Item, { kind: "source" }>;

/** What a CommonJS module is given without declaring it; the emitted module is given the same. */
const AMBIENT = new Set(["require", "__dirname", "__filename"]);

interface TextRange {
  readonly start: number;
  readonly end: number;
  readonly pattern: string | undefined;
}

/** Everything that a function reaches, as slots of one module to be emitted. */
export class Graph implements Holes {
  readonly root: Slot;
  readonly rootSource: Source;
  /** In the order in which they were met. */
  readonly slots: Slot[] = [];
  /** Names that some source leaves to the global scope: nothing may be declared under them. */
  readonly globals = new Set<string>();
  /** Functions, classes and objects inside captured data, to be put back by the emitted module. */
  readonly fillings = new Map<object, Slot>();
  readonly #byValue = new Map<unknown, Slot>();
  readonly #byVariable = new Map<object, Slot[]>();
  readonly #imports = new KnownImports();
  readonly #name: string;
  /** The file that the function itself is in. */
  #file: string | undefined;

  constructor(body: AnyFunction, name: string) {
    this.#name = name;
    this.root = this.#functionSlot(body, name, new Path([name], undefined));
    let item = this.root.item;
    while (item.kind === "bound") item = item.target.item;
    if (item.kind !== "source")
      throw refuse("SKY_CAPTURE_UNSUPPORTED", new Path([name], undefined), "", "is not a function of your own program");
    this.rootSource = item;
  }

  get errorClasses(): ReadonlyMap<string, AnyFunction> {
    return this.#imports.errorClasses;
  }

  /** Slots whose values are read at each dispatch. */
  get valueSlots(): Slot[] {
    return this.slots.filter((slot) => slot.item.kind === "value");
  }

  onFunction(value: AnyFunction, path: Path): void {
    if (!this.fillings.has(value)) this.fillings.set(value, this.#functionSlot(value, path.last, path));
  }

  onInstance(constructor: AnyFunction, path: Path): void {
    if (!this.fillings.has(constructor))
      this.fillings.set(
        constructor,
        this.#functionSlot(constructor, constructor.name || path.last, path.to(constructor.name)),
      );
  }

  onWellKnown(value: object, text: string): void {
    if (!this.fillings.has(value)) this.fillings.set(value, this.#add(text, { kind: "expression", text }, value));
  }

  /** The slot for a variable that some source uses. */
  #variableSlot(use: Use, live: LiveFunction, holder: AnyFunction, module: LoadedModule, from: Path): Slot | undefined {
    const path = from.to(use.name, module.original(use.start));
    const found = lookUp(live.scopes, use.name);
    if (use.variable === undefined && (found === undefined || (module.kind === "cjs" && AMBIENT.has(use.name)))) {
      if (found !== undefined) this.#checkHome(module, path);
      this.globals.add(use.name);
      return undefined;
    }
    const declared = use.variable === undefined ? undefined : declarationOf(use.variable, module);
    if (declared?.kind === "import" || declared?.kind === "require")
      return this.#moduleSlot(use, declared, live, holder, module, path);
    if (
      found === undefined &&
      declared?.kind === "other" &&
      declared.constant &&
      declared.initialiser !== undefined &&
      isTimeless(declared.initialiser)
    ) {
      return (
        this.#sameVariable(use.variable!, undefined) ??
        this.#textSlot(use, { ...declared.initialiser, pattern: undefined }, live, holder, module, path)
      );
    }
    if (found === undefined)
      throw refuse(
        "SKY_CAPTURE_UNSUPPORTED",
        path,
        "",
        "can't be read: the engine keeps no value for it",
        "Pass it as an argument.",
      );
    if ("unset" in found) throw refuseUnset(path);
    const value = found.value;
    const constant = declared?.kind === "other" && declared.constant;
    if (value === undefined && constant && !mayBeUndefined(declared.initialiser)) throw refuseUnset(path); // Node 20 reads it so
    if (constant && (typeof value === "function" || typeof value === "symbol"))
      return this.#anySlot(value, use.name, path);
    const known = use.variable === undefined ? undefined : this.#sameVariable(use.variable, value);
    if (known !== undefined) return known;
    const slot = this.#newVariable(use.name, value, constant, { holder, name: use.name, path, value }, path);
    if (use.variable !== undefined) this.#remember(use.variable, slot);
    return slot;
  }

  #newVariable(name: string, value: unknown, constant: boolean, reader: Reader, path: Path): Slot {
    if (typeof value === "function") {
      const alias: Slot = { preferred: name, item: { kind: "value" }, constant, reader };
      this.slots.push(alias);
      alias.item = { kind: "alias", of: this.#anySlot(value, name, path) };
      return alias;
    }
    const special =
      typeof value === "object" && value !== null && !Array.isArray(value) ? this.#knownObject(value, name) : undefined;
    if (special !== undefined) return special;
    const slot: Slot = { preferred: name, item: { kind: "value" }, constant, reader };
    this.slots.push(slot);
    surveyValue(value, path, this);
    return slot;
  }

  #knownObject(value: object, name: string): Slot | undefined {
    const known = this.#byValue.get(value);
    if (known !== undefined) return known;
    const item = this.#imports.find(value);
    return item === undefined ? undefined : this.#add(name, item, value);
  }

  /** The slot for a function, class or symbol. */
  #anySlot(value: unknown, name: string, path: Path): Slot {
    if (typeof value === "function") return this.#functionSlot(value as AnyFunction, name, path);
    const known = this.#byValue.get(value);
    if (known !== undefined) return known;
    const symbol = value as symbol;
    const key = Symbol.keyFor(symbol);
    const text =
      wellKnown(symbol) ??
      (key === undefined ? undefined : { kind: "expression" as const, text: `Symbol.for(${JSON.stringify(key)})` });
    const own = `Symbol(${symbol.description === undefined ? "" : JSON.stringify(symbol.description)})`;
    return this.#add(name, { kind: "expression", text: text?.kind === "expression" ? text.text : own }, value);
  }

  #functionSlot(value: AnyFunction, name: string, path: Path): Slot {
    const known = this.#byValue.get(value);
    if (known !== undefined) return known;
    if (types.isProxy(value))
      throw refuse(
        "SKY_CAPTURE_UNSERIALIZABLE",
        path,
        "Proxy",
        "can't travel: what it does is code of this process",
        "Capture the function behind the proxy.",
      );
    const imported = this.#imports.find(value);
    if (imported !== undefined) return this.#add(name, imported, value);
    if (isFn(value)) return this.#fnSlot(value, name, path);
    const text = Function.prototype.toString.call(value);
    if (/\{\s*\[native code\]\s*\}$/.test(text)) return this.#nativeSlot(value, name, path);
    return this.#sourceSlot(value, text, name, path);
  }

  #fnSlot(value: AnyFunction, name: string, path: Path): Slot {
    const body = bodyOf(value as never) as AnyFunction;
    const slot: Slot = { preferred: name, item: { kind: "value" }, constant: true };
    this.#byValue.set(value, slot);
    slot.item = {
      kind: "fn",
      body: this.#functionSlot(body, body.name || name, path),
      name: value.name,
      fn: this.#sky("fn"),
    };
    this.slots.push(slot);
    return slot;
  }

  #nativeSlot(value: AnyFunction, name: string, path: Path): Slot {
    const known = wellKnown(value);
    if (known?.kind === "expression") return this.#add(name, { kind: "expression", text: known.text }, value);
    if (known !== undefined) return this.#add(name, importItem(known.specifier, known.imported), value);
    const bound = inspectBound(value);
    if (bound === undefined) {
      throw refuse(
        "SKY_CAPTURE_UNSUPPORTED",
        path,
        "native code",
        "is not written in JavaScript, so it has no source to send",
        "Call it inside the function through the module that exports it.",
      );
    }
    const slot: Slot = { preferred: name, item: { kind: "value" }, constant: true };
    this.#byValue.set(value, slot);
    const target = this.#functionSlot(bound.target, bound.target.name || name, path);
    const reader: Reader = { holder: value, name: "bind", path, value: [bound.self, ...bound.args] };
    slot.item = {
      kind: "bound",
      target,
      bound: this.#newVariable(`${name}$bound`, reader.value, true, reader, path.to("bind")),
    };
    this.slots.push(slot);
    return slot;
  }

  #sourceSlot(value: AnyFunction, text: string, name: string, from: Path): Slot {
    const live = inspectFunction(value);
    const module =
      live === undefined
        ? { why: "the engine doesn't tell where it is" }
        : moduleOf(text, live.location, kindOf(live.scopes));
    if (live === undefined || "why" in module) {
      const why = `can't be read as source: ${"why" in module ? module.why : ""}`;
      throw refuse("SKY_CAPTURE_UNSUPPORTED", from, "", why);
    }
    if (isPackageFile(module.file) && !isPackageFile(this.#file ?? module.file))
      return this.#packageSlot(value, name, module, from);
    this.#file ??= module.file;
    const start = module.startOf(text, live.location)!;
    const end = start + text.length;
    const path = from.place === undefined ? new Path([from.last], module.original(start)) : from;
    const node = module.nodeAt(start, end);
    if (node === undefined) throw refuse("SKY_CAPTURE_UNSUPPORTED", path, "", "is not a function that can stand alone");
    checkForm(text, node, module, path);
    const uses: BoundUse[] = [];
    const slot = this.#add(name || value.name, { kind: "source", module, start, end, node, value, uses }, value);
    this.#imports.learn(module, live);
    for (const use of module.freeUses(start, end)) {
      const target = this.#variableSlot(use, live, value, module, path);
      if (target !== undefined) uses.push({ start: use.start, end: use.end, slot: target });
    }
    return slot;
  }

  /** What a package made or exports: sent by its import, never as a copy of the package's insides. */
  #packageSlot(value: AnyFunction, name: string, module: LoadedModule, path: Path): Slot {
    const found = this.#imports.findHolder(value);
    if (found !== undefined) {
      const { holder, item, property } = found;
      const preferred = item.kind === "import" && item.imported !== "default" ? item.imported : name;
      const of = this.#byValue.get(holder) ?? this.#add(preferred, item, holder);
      return this.#add(name, { kind: "member", of, property }, value);
    }
    const hint = "Make it inside the function, or in a module of your own that exports it, and import that.";
    throw refuse(
      "SKY_CAPTURE_UNSUPPORTED",
      path,
      value.name,
      `is code of a package (${module.file}) that no import of yours names`,
      hint,
    );
  }

  #moduleSlot(
    use: Use,
    declared: Exclude<ReturnType<typeof declarationOf>, { kind: "other" }>,
    live: LiveFunction,
    holder: AnyFunction,
    module: LoadedModule,
    path: Path,
  ): Slot {
    const own = publicName(liveValue(live.scopes, use.name));
    if (own !== undefined) return this.#sky(own);
    const known = this.#sameVariable(use.variable!, undefined);
    if (known !== undefined) return known;
    if (declared.kind === "import") {
      const { specifier, imported, attributes } = declared;
      return this.#remember(
        use.variable!,
        this.#add(use.name, { kind: "import", specifier, imported, attributes, base: module.file }),
      );
    }
    this.#checkHome(module, path);
    return this.#textSlot(use, declared, live, holder, module, path);
  }

  /** A variable that is made again from its initialiser. */
  #textSlot(
    use: Use,
    text: TextRange,
    live: LiveFunction,
    holder: AnyFunction,
    module: LoadedModule,
    path: Path,
  ): Slot {
    const uses: BoundUse[] = [];
    const { start, end, pattern } = text;
    const slot = this.#remember(
      use.variable!,
      this.#add(use.name, { kind: "require", module, start, end, pattern, name: use.name, uses }),
    );
    for (const inner of module.freeUses(start, end)) {
      const target = this.#variableSlot(inner, live, holder, module, path);
      if (target !== undefined) uses.push({ start: inner.start, end: inner.end, slot: target });
    }
    return slot;
  }

  /** `require` and the like mean another thing in another folder. */
  #checkHome(module: LoadedModule, path: Path): void {
    if (this.#file === undefined || dirname(this.#file) === dirname(module.file)) return;
    throw refuse(
      "SKY_CAPTURE_UNSUPPORTED",
      path,
      "",
      `belongs to ${module.file}, which is in another folder than the function`,
      "Export it there, and import it where the function is.",
    );
  }

  /** An export of this package. */
  #sky(imported: string): Slot {
    const key = `skyward:${imported}`;
    return (
      this.#byValue.get(key) ??
      this.#add(
        imported === NAMESPACE ? "sky" : imported,
        { kind: "import", specifier: "skyward", imported, attributes: "", base: "" },
        key,
      )
    );
  }

  #sameVariable(variable: object, value: unknown): Slot | undefined {
    return this.#byVariable
      .get(variable)
      ?.find((slot) => slot.reader === undefined || Object.is(slot.reader.value, value));
  }

  #remember(variable: object, slot: Slot): Slot {
    const list = this.#byVariable.get(variable);
    if (list === undefined) this.#byVariable.set(variable, [slot]);
    else list.push(slot);
    return slot;
  }

  #add(preferred: string, item: Item, value?: unknown): Slot {
    const slot: Slot = { preferred: preferred || this.#name, item, constant: true };
    this.slots.push(slot);
    if (value !== undefined) this.#byValue.set(value, slot);
    return slot;
  }
}

function isPackageFile(file: string): boolean {
  return /[\\/]node_modules[\\/]/.test(file);
}

function lookUp(scopes: readonly LiveScope[], name: string): ReturnType<LiveScope["variables"]["get"]> {
  for (const scope of scopes) {
    const found = scope.variables.get(name);
    if (found !== undefined) return found;
  }
  return undefined;
}

function liveValue(scopes: readonly LiveScope[], name: string): unknown {
  const found = lookUp(scopes, name);
  return found !== undefined && "value" in found ? found.value : undefined;
}

function kindOf(scopes: readonly LiveScope[]): "esm" | "cjs" {
  return scopes.some((scope) => scope.kind === "module") ? "esm" : "cjs";
}

function refuseUnset(path: Path): Error {
  return refuse(
    "SKY_CAPTURE_UNSUPPORTED",
    path,
    "",
    "has no value yet: the call comes before its declaration was reached",
    `Dispatch after the line that declares ${path.last}, or move the declaration up.`,
  );
}
