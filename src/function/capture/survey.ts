import { eachItem } from "./each-item.ts";
import { types } from "node:util";
import { MAKE_THERE, refusalOf } from "../../values/describe.ts";
import { hasPrivateState } from "../../values/private-state.ts";
import { ownCodec, registeredClass } from "../../values/registry.ts";
import { travels } from "../../values/symbols.ts";
import { extraKeys } from "./extra-keys.ts";
import { builtinClassName, wellKnown } from "./intrinsics.ts";
import { isPrototypeOf } from "./realm.ts";
import { type Path, refuse } from "./refuse.ts";

type AnyFunction = (...args: never) => unknown;

/** What in captured data is code, and stands in the emitted module instead of in the data. */
export interface Holes {
  /** Also looks for what a copy would not have. */
  readonly isFirst?: boolean;
  /** A function or class inside data, and the object that it is in: called once for each. */
  onFunction(value: AnyFunction, path: Path, holder: object | undefined): void;
  /** An object that every Node program has, such as `Math`. */
  onWellKnown(value: object, text: string): void;
  /** The class of an instance. */
  onInstance(constructor: AnyFunction, path: Path): void;
  /** The class of an instance that crosses by its class's own codec, or because the class is registered. */
  onCodec(constructor: AnyFunction, path: Path): void;
}

export interface Survey {
  readonly holes: boolean;
  /** Whether there are instances in it that only a codec can take apart. */
  readonly opaque: boolean;
  /** Whether an array, a Map or a Set in it has properties besides what it holds, which the emitted module puts back. */
  readonly shaped: boolean;
  /** Whether nothing reachable can ever change. */
  readonly frozen: boolean;
}

/** The codec refuses deeper values by itself. */
const DEEPEST = 2000;

/**
 * Looks through captured data before it is sent: refuses what can't travel, with the way to it, and reports the code in it.
 * @throws SkyError SKY_CAPTURE_UNSERIALIZABLE
 */
export function surveyValue(value: unknown, path: Path, holes: Holes): Survey {
  const survey = new Surveyor(path, holes);
  survey.visit(value);
  const { holes: hasHoles, opaque, shaped, frozen } = survey;
  return { holes: hasHoles, opaque, shaped, frozen };
}

class Surveyor {
  holes = false;
  opaque = false;
  shaped = false;
  frozen = true;
  readonly #seen = new Set<object>();
  readonly #base: Path;
  readonly #on: Holes;
  /** The way from the base to what is being looked at. */
  readonly #trail: (string | number)[] = [];
  /** The object whose insides are being looked at. */
  #holder: object | undefined;

  constructor(base: Path, on: Holes) {
    this.#base = base;
    this.#on = on;
  }

  visit(value: unknown): void {
    if (typeof value === "function") {
      if (types.isProxy(value)) throw this.#refuseProxy();
      this.holes = true;
      this.#on.onFunction(value as AnyFunction, this.#path(), this.#holder);
    } else if (typeof value === "symbol") {
      if (!travels(value))
        throw this.#refuse(
          "symbol",
          "is a symbol of this process alone",
          'Use Symbol.for("..."), which is the same everywhere.',
        );
    } else if (typeof value === "object" && value !== null && !this.#seen.has(value) && this.#trail.length < DEEPEST) {
      this.#seen.add(value);
      const around = this.#holder;
      this.#holder = value;
      this.#object(value);
      this.#holder = around;
    }
  }

  #at(step: string | number, value: unknown): void {
    if (typeof value === "object" ? value === null : typeof value !== "function" && typeof value !== "symbol") return;
    this.#trail.push(step);
    this.visit(value);
    this.#trail.pop();
  }

  #object(value: object): void {
    if (types.isProxy(value)) throw this.#refuseProxy();
    const proto: unknown = Object.getPrototypeOf(value);
    if (Array.isArray(value) && isPrototypeOf(proto, Array)) return this.#array(value);
    if (proto === null || isPrototypeOf(proto, Object)) return this.#plain(value);
    this.frozen = false;
    if (types.isMap(value) && isPrototypeOf(proto, Map)) return this.#map(value);
    if (types.isSet(value) && isPrototypeOf(proto, Set)) return this.#set(value);
    if (value === process || value === console) return this.#plain(value);
    if (!isLeaf(value)) this.#instance(value);
  }

  #map(value: ReadonlyMap<unknown, unknown>): void {
    for (const [key, item] of Map.prototype.entries.call(value)) {
      if (typeof key === "function") throw this.#refuse("Map", "has a function as a key");
      this.#at("(key)", key);
      this.#at(typeof key === "string" ? `get(${JSON.stringify(key)})` : "get(...)", item);
    }
    this.#extras(value);
  }

  #set(value: ReadonlySet<unknown>): void {
    for (const item of Set.prototype.values.call(value)) this.#at("(member)", item);
    this.#extras(value);
  }

  /** Properties beside what it holds. */
  #extras(value: object): void {
    for (const key of extraKeys(value)) {
      this.shaped = true;
      this.#at(key, this.#read(value, key));
    }
  }

  #array(value: readonly unknown[]): void {
    if (!Object.isFrozen(value)) this.frozen = false;
    eachItem(value, (item, i) => {
      if (typeof item !== "number" && typeof item !== "string") this.#at(i, item);
    });
    // To list the properties of a large one takes long.
    if (this.#on.isFirst === true || value.length < 100) this.#extras(value);
  }

  #plain(value: object): void {
    const known = isNamespace(value) ? wellKnown(value) : undefined;
    if (known?.kind === "expression") {
      this.holes = true;
      this.#on.onWellKnown(value, known.text);
      return;
    }
    if (types.isModuleNamespaceObject(value)) {
      throw this.#refuse(
        "module",
        "holds a whole module, as import() gave it",
        "Import the module with an import statement, or call import() inside the function.",
      );
    }
    if (!Object.isFrozen(value)) this.frozen = false;
    if (this.#on.isFirst === true) this.#checkProperties(value);
    this.#fields(value);
  }

  #checkProperties(value: object): void {
    if (types.isArgumentsObject(value)) {
      const why = "is the arguments object of a call, which would lose its length";
      throw this.#refuse("arguments", why, "Copy it into an array: const list = [...arguments].");
    }
    for (const symbol of Object.getOwnPropertySymbols(value)) this.#symbol(value, symbol);
    for (const key of Object.keys(value)) {
      if (Object.getOwnPropertyDescriptor(value, key)?.set === undefined) continue;
      this.#trail.push(key);
      throw this.#refuse("", "is a setter, which would travel as a plain property", "Make it an instance of a class.");
    }
  }

  /** A property that a copy would not have, or, with a function in it, that can't be put back. */
  #symbol(value: object, symbol: symbol): void {
    const held = (value as Record<symbol, unknown>)[symbol];
    const culprit = String(symbol);
    if (!travels(symbol))
      throw this.#refuse(
        culprit,
        "has a property by a symbol of this process alone",
        'Use Symbol.for("..."), or a text as its name.',
      );
    if (typeof held === "function")
      throw this.#refuse(culprit, "has a function by a symbol", "Make it an instance of a class, which travels whole.");
    this.#at(culprit, held);
  }

  #fields(value: object): void {
    for (const key of Object.keys(value)) this.#at(key, this.#read(value, key));
  }

  #instance(value: object): void {
    const constructor = (value as { constructor?: unknown }).constructor;
    if (
      typeof constructor === "function" &&
      (registeredClass(constructor as never) !== undefined || ownCodec(constructor as never) !== undefined)
    ) {
      this.opaque = true;
      this.#on.onCodec(constructor as AnyFunction, this.#path());
      return;
    }
    const label = builtinClassName(value);
    const isOfPlatform =
      (label !== undefined && label !== "events.EventEmitter") || wellKnown(constructor) !== undefined;
    if (isOfPlatform || !isUserClass(constructor, value)) {
      const { label: own, reason, advice } = refusalOf(value);
      const isOfNode = isOfPlatform && advice?.startsWith("Register") === true;
      const [why, hint] = isOfNode
        ? ["its class is one of Node's own, which does not cross", MAKE_THERE]
        : [reason, advice];
      throw this.#refuse(label ?? own, `can't travel: ${why}`, hint);
    }
    if (hasPrivateState(constructor)) {
      const hint = `Give the class ${constructor.name} a static [sky.codec], or make the instance inside the function.`;
      throw this.#refuse(constructor.name, "has private fields, which can't be copied from outside", hint);
    }
    const isError = types.isNativeError(value);
    const hidden = isError ? undefined : hiddenProperty(value);
    if (hidden !== undefined) {
      const hint = "Make it inside the function, or in a module of your own that exports it, and import that.";
      throw this.#refuse(constructor.name, `keeps state in ${hidden}, which would be lost`, hint);
    }
    this.holes = true;
    this.#on.onInstance(constructor, this.#path());
    if (Array.isArray(value)) this.#array(value);
    else if (types.isMap(value)) this.#map(value);
    else if (types.isSet(value)) this.#set(value);
    else if (ArrayBuffer.isView(value)) this.#extras(value);
    else if (isError) this.#errorFields(value);
    else this.#fields(value);
  }

  /** Also what does not show, such as its cause. */
  #errorFields(value: Error): void {
    for (const key of Object.getOwnPropertyNames(value)) if (key !== "stack") this.#at(key, this.#read(value, key));
  }

  #read(value: object, key: string): unknown {
    try {
      return (value as Record<string, unknown>)[key];
    } catch (error) {
      throw refuse(
        "SKY_CAPTURE_UNSERIALIZABLE",
        this.#path().to(key),
        "",
        `threw when it was read: ${(error as Error).message}`,
      );
    }
  }

  #path(): Path {
    let path = this.#base;
    for (const step of this.#trail) path = path.to(String(step));
    return path;
  }

  #refuse(culprit: string, why: string, hint?: string): Error {
    return refuse("SKY_CAPTURE_UNSERIALIZABLE", this.#path(), culprit, why, hint);
  }

  #refuseProxy(): Error {
    return this.#refuse(
      "Proxy",
      "can't travel: what it does is code of this process",
      "Capture the object behind the proxy.",
    );
  }
}

function isUserClass(constructor: unknown, value: object): constructor is AnyFunction & { readonly name: string } {
  if (typeof constructor !== "function" || Object.getPrototypeOf(value) !== constructor.prototype) return false;
  if (
    Symbol.toStringTag in value &&
    /^(Async)?Generator$|Iterator$|^(Promise|Weak\w+)$/.test(
      String((value as Record<symbol, unknown>)[Symbol.toStringTag]),
    )
  )
    return false;
  if (
    types.isPromise(value) ||
    types.isWeakMap(value) ||
    types.isWeakSet(value) ||
    types.isGeneratorObject(value) ||
    types.isExternal(value)
  )
    return false;
  return !/\[native code\]\s*\}$/.test(Function.prototype.toString.call(constructor));
}

/** An own property that a copy would not have, or would have as something else. */
function hiddenProperty(value: object): string | undefined {
  const isIndexed = Array.isArray(value) || ArrayBuffer.isView(value);
  const keys = isIndexed ? extraKeys(value) : Object.getOwnPropertyNames(value);
  for (const key of keys) {
    const { enumerable, get } = Object.getOwnPropertyDescriptor(value, key)!;
    if (enumerable !== true) return `the hidden property ${key}`;
    if (get !== undefined) return `the getter ${key}`;
  }
  const [symbol] = Object.getOwnPropertySymbols(value);
  return symbol === undefined ? undefined : `the property [${String(symbol)}]`;
}

/** Objects that cross as they are, with nothing inside to look at. */
function isLeaf(value: object): boolean {
  if (types.isDate(value) || types.isRegExp(value) || types.isBoxedPrimitive(value)) return true;
  if (types.isNativeError(value)) return OWN_ERRORS.some((mark) => mark in value) || !isOfUser(value);
  if (ArrayBuffer.isView(value)) return !isOfUser(value);
  if (types.isAnyArrayBuffer(value)) return true;
  return (
    value instanceof DOMException || value instanceof URL || value instanceof URLSearchParams || value instanceof Blob
  );
}

/** Errors of ours, which cross in a form of their own. */
const OWN_ERRORS = [Symbol.for("skyward.error"), Symbol.for("skyward.remote-error")];

/** Whether the class that an error or a view is made by is neither the language's nor Node's. */
function isOfUser(value: object): boolean {
  const { constructor } = value;
  return constructor !== Buffer && isUserClass(constructor, value) && wellKnown(constructor) === undefined;
}

/** `Math`, `console`, `globalThis`: only such objects are worth a look in the table of what every program has. */
function isNamespace(value: object): boolean {
  return (
    value === globalThis || Symbol.toStringTag in value || value === console || value === process || value === Reflect
  );
}
