import { builtinModules, createRequire } from "node:module";

const require = createRequire(import.meta.url);

/** How code can name a value that every Node program has. */
export type WellKnown =
  | { readonly kind: "expression"; readonly text: string }
  | { readonly kind: "module"; readonly specifier: string; readonly imported: string };

const IDENTIFIER = /^[A-Za-z_$][\w$]*$/;
const TYPED_ARRAY = Object.getPrototypeOf(Uint8Array) as object;

let globals: Map<unknown, string> | undefined;
const modules = new Map<string, Map<unknown, string>>();

/** `Math.max`, `Object.defineProperty`, `fs.readFileSync`, a well-known symbol: or undefined when it is not of that kind. */
export function wellKnown(value: unknown): WellKnown | undefined {
  globals ??= collectGlobals();
  const text = globals.get(value);
  if (text !== undefined) return { kind: "expression", text };
  for (const specifier of loadedModules()) {
    const imported = membersOf(specifier).get(value);
    if (imported !== undefined) return { kind: "module", specifier: `node:${specifier}`, imported };
  }
  return undefined;
}

/** The class of an object of Node's own, as people write it: `net.Socket`, `fs.ReadStream`, `http.Agent`. */
export function builtinClassName(value: object): string | undefined {
  for (
    let proto: unknown = Object.getPrototypeOf(value);
    typeof proto === "object" && proto !== null;
    proto = Object.getPrototypeOf(proto)
  ) {
    const made: unknown = (proto as { constructor?: unknown }).constructor;
    for (const specifier of loadedModules()) {
      const imported = membersOf(specifier).get(made);
      if (imported !== undefined && typeof made === "function")
        return `${specifier}.${imported === "default" ? made.name : imported}`;
    }
  }
  return undefined;
}

/** Only what the program loaded can be in its hands; loading the rest would cost 25 ms. */
function loadedModules(): string[] {
  const list = (process as unknown as { moduleLoadList?: readonly string[] }).moduleLoadList ?? [];
  const loaded = new Set(list.map((item) => item.replace(/^NativeModule /, "")));
  return PUBLIC_MODULES.filter((name) => loaded.has(name));
}

const PUBLIC_MODULES = builtinModules.filter(
  (name) => !name.startsWith("_") && !/^(sys|punycode|wasi|trace_events)$/.test(name),
);

function membersOf(specifier: string): Map<unknown, string> {
  let members = modules.get(specifier);
  if (members !== undefined) return members;
  members = new Map<unknown, string>();
  modules.set(specifier, members);
  let exports: Record<string, unknown>;
  try {
    exports = require(`node:${specifier}`) as Record<string, unknown>;
  } catch {
    return members;
  }
  members.set(exports, "default");
  for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(exports))) {
    const value: unknown = descriptor.value; // getters are left alone: some of them warn
    if (
      (typeof value === "function" || (typeof value === "object" && value !== null)) &&
      IDENTIFIER.test(name) &&
      !members.has(value)
    )
      members.set(value, name);
  }
  return members;
}

function collectGlobals(): Map<unknown, string> {
  const found = new Map<unknown, string>([[TYPED_ARRAY, "Object.getPrototypeOf(Uint8Array)"]]);
  found.set(globalThis, "globalThis");
  const names = Object.getOwnPropertyNames(globalThis).filter((name) => IDENTIFIER.test(name) && isStandard(name));
  for (const name of names) add(found, dataValue(globalThis, name), name);
  for (const name of names) {
    const value = dataValue(globalThis, name);
    if ((typeof value !== "function" && typeof value !== "object") || value === null) continue;
    addMembers(found, value, name);
    const proto = typeof value === "function" ? (value as { prototype?: unknown }).prototype : undefined;
    if ((typeof proto === "object" && proto !== null) || typeof proto === "function") {
      add(found, proto, `${name}.prototype`);
      addMembers(found, proto, `${name}.prototype`);
    }
  }
  return found;
}

/** Only what the language and Node define: a program's own globals are not on the node. */
function isStandard(name: string): boolean {
  const value = dataValue(globalThis, name);
  if (typeof value === "function")
    return /\[native code\]\s*\}$/.test(Function.prototype.toString.call(value)) || NODE_GLOBALS.has(name);
  return NODE_GLOBALS.has(name);
}

const NODE_GLOBALS = new Set(
  (
    "globalThis Math JSON Reflect Atomics Intl WebAssembly console process Buffer URL URLSearchParams TextEncoder TextDecoder AbortController AbortSignal Event EventTarget " +
    "MessageChannel MessagePort MessageEvent Blob File FormData Headers Request Response fetch structuredClone performance queueMicrotask setTimeout setInterval setImmediate " +
    "clearTimeout clearInterval clearImmediate atob btoa crypto BroadcastChannel DOMException"
  ).split(" "),
);

function dataValue(holder: object, name: string): unknown {
  const descriptor = Object.getOwnPropertyDescriptor(holder, name);
  if (descriptor === undefined) return undefined;
  if ("value" in descriptor) return descriptor.value as unknown;
  return NODE_GLOBALS.has(name) ? LAZY_GLOBALS[name]?.() : undefined;
}

/** Node defines some globals as getters; reading these is free of side effects. */
const LAZY_GLOBALS: Readonly<Record<string, () => unknown>> = {
  process: () => process,
  Buffer: () => Buffer,
  performance: () => performance,
  crypto: () => globalThis.crypto,
  fetch: () => globalThis.fetch,
};

function addMembers(found: Map<unknown, string>, holder: object, prefix: string): void {
  for (const [key, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(holder))) {
    if (IDENTIFIER.test(key) && key !== "constructor" && key !== "prototype")
      add(found, descriptor.value as unknown, `${prefix}.${key}`);
  }
  for (const symbol of Object.getOwnPropertySymbols(holder)) {
    const known = symbol.description?.startsWith("Symbol.") ? symbol.description : undefined;
    if (known !== undefined)
      add(found, Object.getOwnPropertyDescriptor(holder, symbol)?.value as unknown, `${prefix}[${known}]`);
  }
}

function add(found: Map<unknown, string>, value: unknown, text: string): void {
  const kind = typeof value;
  if ((kind === "function" || kind === "symbol" || (kind === "object" && value !== null)) && !found.has(value))
    found.set(value, text);
}
