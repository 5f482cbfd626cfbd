import { createRequire } from "node:module";
import { types } from "node:util";
import { loadedExports } from "./exports.ts";
import { isPackage } from "./homes.ts";
import { NAMESPACE } from "./imports.ts";
import type { LiveFunction } from "./inspector.ts";
import { wellKnown } from "./intrinsics.ts";
import type { LoadedModule } from "./loaded-module.ts";
import type { Node } from "./parser.ts";
import type { Item } from "./slot.ts";
import { publicName } from "./surface.ts";
import { runnerImports, runnerSpecifier } from "./test-runner.ts";
import { requiredSpecifiers } from "./variable.ts";

type AnyFunction = (...args: never) => unknown;

/**
 * Which values the modules around a function import, so that such a value is imported on the node as well, wherever it
 * was met: the class of an instance, say. And which error classes can be seen from there.
 */
export class KnownImports {
  readonly errorClasses = new Map<string, AnyFunction>();
  readonly #items = new Map<object, Item>();
  readonly #seen = new Set<LoadedModule>();

  /** An import that gives this very value. */
  find(value: object): Item | undefined {
    const own = publicName(value);
    if (own !== undefined) return importItem("skyward", own);
    const known = this.#items.get(value);
    if (known !== undefined) return known;
    if (typeof value === "function") return undefined; // natives are looked up where functions are told apart
    const plain = Object.getPrototypeOf(value) === Object.prototype || Symbol.toStringTag in value;
    const builtin = plain ? wellKnown(value) : undefined;
    if (builtin?.kind === "expression") return { kind: "expression", text: builtin.text };
    return builtin === undefined ? undefined : importItem(builtin.specifier, builtin.imported);
  }

  /** An imported object or function that has the value as a property: `lodash` for `lodash.chunk`. */
  findHolder(value: object): { readonly holder: object; readonly item: Item; readonly property: string } | undefined {
    for (const [holder, item] of this.#items) {
      if (types.isProxy(holder)) continue;
      for (const [property, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(holder))) {
        if (descriptor.value === value) return { holder, item, property };
      }
    }
    return undefined;
  }

  /** Takes note of what one function's module imports, and of every error class in its scopes. */
  learn(module: LoadedModule, live: LiveFunction): void {
    for (const { variables } of live.scopes) {
      for (const [name, variable] of variables) if ("value" in variable) this.#learnError(variable.value, name);
    }
    const top = live.scopes.at(-1);
    if (this.#seen.has(module) || top === undefined) return;
    this.#seen.add(module);
    if (module.kind === "cjs" && module.wrapper === undefined) this.#learnRequired(module);
    if (module.kind === "esm" && module.wrapper !== undefined) this.#learnFromRunner(module, module.wrapper, live);
    for (const { variable, specifier, imported, attributes } of module.imports) {
      const found = top.variables.get(variable);
      if (found === undefined || !("value" in found)) continue;
      const item = (name: string): Item => ({ ...importItem(specifier, name), attributes, base: module.file });
      if (imported !== NAMESPACE) {
        this.#learnValue(found.value, item(imported));
      } else if (types.isModuleNamespaceObject(found.value)) {
        for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(found.value))) {
          this.#learnValue(value, item(name));
          this.#learnError(value, name);
        }
      }
    }
  }

  #learnRequired(module: LoadedModule): void {
    const require = createRequire(module.file);
    for (const specifier of requiredSpecifiers(module.ast)) {
      const file = resolved(require, specifier) ?? "";
      const exports = loadedExports(file);
      if (exports === undefined) continue;
      const item = (name: string): Item => ({ ...importItem(specifier, name), base: module.file });
      this.#learnValue(exports, item(NAMESPACE));
      for (const [name, { value, get }] of Object.entries(Object.getOwnPropertyDescriptors(exports)))
        // Compilers put a user's exports behind getters.
        this.#learnValue(get === undefined || isPackage(file) ? value : exports[name], item(name));
    }
  }

  #learnFromRunner(module: LoadedModule, wrapper: Node, live: LiveFunction): void {
    for (const { variable, specifier: written } of runnerImports(wrapper)) {
      const scope = live.scopes.find(({ variables }) => variables.has(variable));
      const found = scope?.variables.get(variable);
      if (found === undefined || !("value" in found)) continue;
      const all = found.value as Record<string, unknown> | null;
      if (typeof all !== "object" || all === null) continue;
      const specifier = runnerSpecifier(written, module.file);
      for (const name of Object.keys(all)) {
        const item: Item = { ...importItem(specifier, name), base: module.file };
        const isDirect = name === "default" || specifier.startsWith("/");
        if (isDirect) this.#learnValue(all[name], item);
        this.#learnError(all[name], name);
      }
    }
  }

  #learnValue(value: unknown, item: Item): void {
    const isObject = typeof value === "function" || (typeof value === "object" && value !== null);
    if (isObject && !this.#items.has(value)) this.#items.set(value, item);
  }

  #learnError(value: unknown, name: string): void {
    if (typeof value === "function" && value.prototype instanceof Error) {
      const own = value.name || name;
      if (!this.errorClasses.has(own)) this.errorClasses.set(own, value as AnyFunction);
    } else if (typeof value === "object" && value !== null && isCompiledImport(name, value)) {
      // What compilers make of `import`: the module's exports, with some behind getters of their own.
      for (const key of Object.keys(value)) {
        if (/Error|Exception|Failure|Fault/.test(key)) this.#learnError((value as Record<string, unknown>)[key], "");
        else if (/^[A-Z]/.test(key)) this.#learnError(Object.getOwnPropertyDescriptor(value, key)?.value, "");
      }
    }
  }
}

/** Whether it is what esbuild, Babel and TypeScript make of a module: `import_prices`, `_prices`, `prices_1`. */
function isCompiledImport(name: string, value: object): boolean {
  if (types.isProxy(value) || Array.isArray(value) || ArrayBuffer.isView(value)) return false;
  return /^(import_|_)\w/.test(name) || (/\w_\d+$/.test(name) && Object.hasOwn(value, "__esModule"));
}

function resolved(require: NodeJS.Require, specifier: string): string | undefined {
  try {
    return require.resolve(specifier);
  } catch {
    return undefined; // what is only there under a condition of the program's loader
  }
}

export function importItem(specifier: string, imported: string): Extract<Item, { kind: "import" }> {
  return { kind: "import", specifier, imported, attributes: "", base: "" };
}
