import type { Variable } from "eslint-scope";
import { randomBytes } from "node:crypto";
import { types } from "node:util";
import { ownCodec, registeredClass } from "../../values/registry.ts";
import { bodyOf, isFn } from "../brand.ts";
import { moduleExportOf } from "../module-export.ts";
import { checkForm } from "./form.ts";
import { Homes, isPackage } from "./homes.ts";
import { inspectBound, inspectFunction, type LiveFunction, type LiveScope } from "./inspector.ts";
import { NAMESPACE } from "./imports.ts";
import { wellKnown } from "./intrinsics.ts";
import { importItem, KnownImports } from "./known-imports.ts";
import { type LoadedModule, moduleOf } from "./loaded-module.ts";
import { ownParts } from "./own-parts.ts";
import { parentOf } from "./parent.ts";
import type { Node } from "./parser.ts";
import { type Path, refuse } from "./refuse.ts";
import { isStretch, type Item, type Slot, type SourceItem, type Stretch } from "./slot.ts";
import { ValueSlots } from "./value-slots.ts";
import { VariableSlots } from "./variable-slots.ts";

type AnyFunction = (...args: never) => unknown;

const ONCE = Symbol.for("skyward.once");

/** Everything that a function, or a class, reaches: slots of one module to be emitted. */
export class Graph {
  /** In the order in which they were met. */
  readonly slots: Slot[] = [];
  readonly homes: Homes;
  readonly imports: KnownImports;
  readonly values: ValueSlots;
  /** Files of home that a captured path names. */
  readonly assets = new Set<string>();
  /** What a function was found in: others that were found in the same were probably made with it. */
  readonly madeWith = new Map<AnyFunction, object>();
  readonly #variables: VariableSlots;
  readonly #byValue = new Map<unknown, Slot>();
  readonly #name: string;
  readonly #isFirst: boolean;
  /** The first file that source was taken from: the emitted module lies beside it. */
  #file: string | undefined;

  /** With `homes` it is taken in for another function, whose homes these are, and may itself be imported. */
  constructor(name: string, homes?: Iterable<string>, imports = new KnownImports()) {
    this.#name = name;
    this.#isFirst = homes === undefined;
    this.homes = new Homes(homes);
    this.imports = imports;
    this.values = new ValueSlots(this);
    this.#variables = new VariableSlots(this);
  }

  get file(): string | undefined {
    return this.#file;
  }

  /** Takes in a function or class with all that it reaches. */
  take(value: AnyFunction, path: Path): Slot {
    const slot = this.function(value, this.#name, path);
    this.settle();
    return slot;
  }

  /** Takes in what a variable of a module's top level holds, as a function of that module sees it. */
  takeVariable(
    variable: Variable,
    live: LiveFunction,
    holder: AnyFunction,
    module: LoadedModule,
    path: Path,
  ): Slot | undefined {
    const { start, end } = variable.identifiers[0] as unknown as { readonly start: number; readonly end: number };
    const use = { name: variable.name, start, end, variable, writes: false };
    const context = { live, holder, node: module.ast, module, path, globals: new Set<string>(), replacements: [] };
    return this.#variables.slotFor(use, context);
  }

  /** Takes in a value that is no variable of a scope, such as what a CommonJS module exports. */
  takeValue(name: string, value: unknown, holder: AnyFunction, path: Path): Slot {
    if (typeof value === "function" || typeof value === "symbol") return this.any(value, name, path);
    return this.values.add(name, true, this.values.fixed(holder, name, path, value));
  }

  /** Looks through the captured data, and takes in what code is in it, until nothing new comes. */
  settle(): void {
    this.values.settle();
    this.#variables.checkAmbiguous();
  }

  /** The slot for a function, class or symbol. */
  any(value: unknown, name: string, path: Path): Slot {
    if (typeof value === "function") return this.function(value as AnyFunction, name, path);
    const known = this.#byValue.get(value);
    if (known !== undefined) return known;
    const symbol = value as symbol;
    const key = Symbol.keyFor(symbol);
    const standard = wellKnown(symbol);
    if (standard?.kind === "expression") return this.add(name, { kind: "expression", text: standard.text }, value);
    const text =
      key === undefined
        ? `Symbol(${symbol.description === undefined ? "" : JSON.stringify(symbol.description)})`
        : `Symbol.for(${JSON.stringify(key)})`;
    return this.add(name, { kind: "expression", text, unique: key === undefined }, value);
  }

  function(value: AnyFunction, name: string, path: Path): Slot {
    const known = this.#byValue.get(value);
    if (known !== undefined) return known;
    if (types.isProxy(value)) {
      const why = "can't travel: what it does is code of this process";
      throw refuse("SKY_CAPTURE_UNSERIALIZABLE", path, "Proxy", why, "Capture the function behind the proxy.");
    }
    const imported = this.imports.find(value);
    if (imported !== undefined) return this.#imported(name, imported, value);
    if (isFn(value)) return this.#fnSlot(value, name, path);
    if (ONCE in value) return this.#onceSlot(value, (value as { [ONCE]: AnyFunction })[ONCE], name, path);
    const text = Function.prototype.toString.call(value);
    if (/\{\s*\[native code\]\s*\}$/.test(text)) return this.#nativeSlot(value, name, path);
    return this.#sourceSlot(value, text, name, path);
  }

  /** The slot for an object that some import gives, or that every program has. */
  knownObject(value: object, name: string): Slot | undefined {
    const known = this.#byValue.get(value);
    if (known !== undefined) return known;
    const item = this.imports.find(value);
    return item === undefined ? undefined : this.add(name, item, value);
  }

  /** An export of this package. */
  sky(imported: string): Slot {
    const key = `skyward:${imported}`;
    const name = imported === NAMESPACE ? "sky" : imported;
    return this.#byValue.get(key) ?? this.add(name, importItem("skyward", imported), key);
  }

  add(preferred: string, item: Item, value?: unknown): Slot {
    const slot: Slot = { preferred: preferred || this.#name, item, constant: true };
    this.slots.push(slot);
    if (value !== undefined) this.#byValue.set(value, slot);
    if (typeof value === "function") slot.live = value as AnyFunction;
    return slot;
  }

  /** What the free names of a stretch mean, seen by a live function. */
  bindUses(stretch: Stretch, live: LiveFunction, holder: AnyFunction, node: Node, path: Path): void {
    const { module, start, end, uses, globals, replacements } = stretch;
    const facts = module.factsOf(stretch.node);
    const known = uses[0]; // what a class extends, where that is known already
    for (const use of module.freeUses(start, end)) {
      if (known !== undefined && use.start >= known.start && use.end <= known.end) continue;
      const context = { live, holder, node, module, path, globals, replacements };
      const slot = this.#variables.slotFor(use, context);
      if (slot === undefined) continue;
      const paths = use.writes ? [[]] : facts.at(use.start).paths;
      uses.push({ start: use.start, end: use.end, slot, writes: use.writes, paths });
    }
  }

  /** Every stretch of source so far. */
  *stretches(): Iterable<Stretch> {
    for (const { item } of this.slots) if (isStretch(item)) yield item;
  }

  #fnSlot(value: AnyFunction, name: string, path: Path): Slot {
    const body = bodyOf(value as never) as AnyFunction;
    const slot = this.#reserve(name, value);
    const where = moduleExportOf(body);
    const inner =
      where === undefined
        ? this.function(body, body.name || name, path)
        : this.add(name, { ...importItem(where.specifier, where.exported), base: where.file }, body);
    slot.item = { kind: "fn", body: inner, name: value.name, fn: this.sky("fn") };
    this.#liesWhere(slot, inner, name);
    return slot;
  }

  #onceSlot(value: AnyFunction, make: AnyFunction, name: string, path: Path): Slot {
    const slot = this.#reserve(name, value);
    const inner = this.function(make, `make_${name}`, path);
    // One of the top level is a declaration of its module; any other is known by a name, so that it is one there too.
    const reader = this.values.fixed(value, "once", path, onceName(value));
    const id = inner.top === undefined ? this.values.add(`${name}$name`, true, reader) : undefined;
    slot.item = { kind: "once", make: inner, once: this.sky("once"), id };
    this.#liesWhere(slot, inner, name);
    return slot;
  }

  /** What is made around a function of a module's top level is of the top level as well. */
  #liesWhere(slot: Slot, inner: Slot, name: string): void {
    if (inner.top !== undefined) slot.top = { ...inner.top, name };
    this.slots.push(slot);
  }

  /** A slot that is known before what it is made of is, for cycles. */
  #reserve(name: string, value: AnyFunction): Slot {
    const slot: Slot = { preferred: name, item: { kind: "value" }, constant: true, live: value };
    this.#byValue.set(value, slot);
    return slot;
  }

  #imported(name: string, item: Item, value: AnyFunction): Slot {
    if (item.kind === "import" && item.base !== "") this.#file ??= item.base;
    return this.add(name, item, value);
  }

  #nativeSlot(value: AnyFunction, name: string, path: Path): Slot {
    const known = wellKnown(value);
    if (known?.kind === "expression") return this.add(name, { kind: "expression", text: known.text }, value);
    if (known !== undefined) return this.add(name, importItem(known.specifier, known.imported), value);
    const bound = inspectBound(value);
    if (bound === undefined) {
      const why = "is not written in JavaScript, so it has no source to send";
      const hint = "Call it inside the function through the module that exports it.";
      throw refuse("SKY_CAPTURE_UNSUPPORTED", path, "native code", why, hint);
    }
    const slot = this.#reserve(name, value);
    const target = this.function(bound.target, bound.target.name || name, path);
    const given = [bound.self, ...bound.args].map((one, index) => this.#given(one, index, value, name, path));
    slot.item = { kind: "bound", target, given };
    this.slots.push(slot);
    return slot;
  }

  /** What a function was bound to. Binding needs it: code is a slot here, no hole in data that is filled later. */
  #given(value: unknown, index: number, holder: AnyFunction, name: string, path: Path): Slot {
    const at = path.to("bind").to(index === 0 ? "this" : String(index - 1));
    const preferred = `${name}$bound`;
    if (typeof value === "function") return this.any(value, value.name || preferred, at);
    if (typeof value === "symbol") return this.any(value, preferred, at);
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    const known = isObject ? this.knownObject(value, preferred) : undefined;
    return known ?? this.values.add(preferred, true, this.values.fixed(holder, "bind", at, value));
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
    if (isPackage(module.file) && !isPackage(this.#file ?? module.file))
      return this.#packageSlot(value, name, module, from);
    const start = module.startOf(text, live.location)!;
    const end = start + text.length;
    const path = from.place === undefined ? from.at(module.original(start)) : from;
    const node = module.nodeAt(start, end);
    if (node === undefined) throw refuse("SKY_CAPTURE_UNSUPPORTED", path, "", "is not a function that can stand alone");
    const isTop = module.top.has(node);
    const declared = isTop ? module.declaredName(node) : undefined;
    const exported = this.#exportedSlot(value, declared, module, live);
    if (exported !== undefined) return exported;
    this.#setFile(module.file);
    checkForm(text, node, module, path);
    const item: SourceItem = {
      kind: "source",
      module,
      start,
      end,
      node,
      value,
      uses: [],
      replacements: [],
      globals: new Set(),
    };
    const slot = this.add(declared ?? (name || value.name), item, value);
    // The name must not depend on who meets it first.
    const ownName = declared ?? (value.name || `function${start}`);
    if (isTop) slot.top = { file: module.file, kind: module.kind, name: ownName };
    this.imports.learn(module, live);
    const parent = parentOf(value, item, live);
    if (parent !== undefined) {
      const { start: from, end: to } = node["superClass"] as Node;
      const above = this.function(parent, parent.name || "Base", path.to(parent.name || "extends"));
      item.uses.push({ start: from, end: to, slot: above, writes: false, paths: [[]] });
    }
    this.bindUses(item, live, value, node, path);
    this.#addRegistration(slot, value, path);
    for (const part of ownParts(value, text, node, module.source, path)) this.#addPart(slot, part, path);
    return slot;
  }

  /** A declaration that another of the user's modules exports is imported from there. */
  #exportedSlot(
    value: AnyFunction,
    name: string | undefined,
    module: LoadedModule,
    live: LiveFunction,
  ): Slot | undefined {
    if (name === undefined || (this.#isFirst && this.#file === undefined) || this.homes.isHome(module.file, live))
      return undefined;
    const imported = module.exportedAs(name, value);
    if (imported === undefined) return undefined;
    const specifier = `./${module.file.slice(module.file.lastIndexOf("/") + 1)}`;
    return this.#imported(name, { ...importItem(specifier, imported), base: module.file }, value);
  }

  #setFile(file: string): void {
    if (this.#file !== undefined) return;
    this.#file = file;
    if (this.#isFirst) this.homes.add(file);
  }

  /** What `sky.register` was told of a class, said again on the node: the program's own call is not run there. */
  #addRegistration(target: Slot, value: AnyFunction, path: Path): void {
    const entry = registeredClass(value);
    if (entry === undefined) return;
    const { id, codec } = entry;
    const methods =
      codec === undefined || codec === ownCodec(value)
        ? undefined
        : {
            encode: this.function(codec.encode, `encode_${id}`, path.to("codec")),
            decode: this.function(codec.decode, `decode_${id}`, path.to("codec")),
          };
    const ownId = codec?.id;
    this.add("", { kind: "register", target, register: this.sky("register"), id: ownId, methods });
  }

  #addPart(target: Slot, part: ReturnType<typeof ownParts>[number], path: Path): void {
    if (part.kind === "inherit") {
      const parent = this.function(part.parent, part.parent.name, path.to(part.parent.name));
      this.add("", { kind: "inherit", target, parent });
      return;
    }
    const at = part.part === "own" ? path : path.to("prototype");
    const data = this.values.fixed(target.live!, part.part, at, part.read(), part.read);
    const name = `${target.preferred}$${part.part}`;
    this.add("", { kind: "patch", target, part: part.part, data: this.values.add(name, true, data) });
  }

  /** What a package made or exports: sent by its import, never as a copy of the package's insides. */
  #packageSlot(value: AnyFunction, name: string, module: LoadedModule, path: Path): Slot {
    const found = this.imports.findHolder(value);
    if (found !== undefined) {
      const { holder, item, property } = found;
      const preferred = item.kind === "import" && item.imported !== "default" ? item.imported : name;
      const of = this.#byValue.get(holder) ?? this.add(preferred, item, holder);
      return this.add(name, { kind: "member", of, property }, value);
    }
    const hint = "Make it inside the function, or in a module of your own that exports it, and import that.";
    const why = `is code of a package (${module.file}) that no import of yours names`;
    throw refuse("SKY_CAPTURE_UNSUPPORTED", path, value.name, why, hint);
  }
}

const onceNames = new WeakMap<AnyFunction, string>();
const prefix = randomBytes(6).toString("hex");
let onces = 0;

function onceName(value: AnyFunction): string {
  let name = onceNames.get(value);
  if (name === undefined) onceNames.set(value, (name = `${prefix} ${++onces}`));
  return name;
}

function kindOf(scopes: readonly LiveScope[]): "esm" | "cjs" {
  return scopes.some((scope) => scope.kind === "module") ? "esm" : "cjs";
}
