import { Session } from "node:inspector";

type AnyFunction = (...args: never) => unknown;

/** Where V8 has a function: the script, and a zero-based position inside the function's text. */
export interface FunctionLocation {
  readonly scriptId: string;
  readonly line: number;
  readonly column: number;
}

/** The variables of one enclosing scope, read at one moment. */
export interface LiveScope {
  readonly kind: "module" | "script" | "function";
  readonly variables: ReadonlyMap<string, LiveVariable>;
}

export type LiveVariable = { readonly value: unknown } | { readonly unset: true };

export interface LiveFunction {
  readonly location: FunctionLocation;
  /** Innermost first, without the global scope. */
  readonly scopes: readonly LiveScope[];
}

export interface BoundFunction {
  readonly target: AnyFunction;
  readonly self: unknown;
  readonly args: readonly unknown[];
}

interface Remote {
  readonly objectId?: string;
  readonly value?: unknown;
  readonly description?: string;
}
interface Property {
  readonly name: string;
  readonly value?: Remote;
}

const BRIDGE = Symbol.for("skyward.capture.bridge");
const GROUP = "skyward-capture";

/**
 * Real values pass between us and the inspector through this object, never through its JSON. The inspector hands a
 * scope to a function as `this`; the scope itself is `this.object`.
 */
const bridge: {
  subject: unknown;
  read: (scope: object, into: Map<string, LiveVariable>) => void;
  sink: Map<string, LiveVariable>;
} = {
  subject: undefined,
  sink: new Map(),
  read(scope, into) {
    for (const name of Object.getOwnPropertyNames(scope)) {
      try {
        into.set(name, { value: (scope as Record<string, unknown>)[name] });
      } catch {
        into.set(name, { unset: true }); // Node 24 throws on a binding that has no value yet
      }
    }
  },
};

let session: Session | undefined;
let bridgeId: string | undefined;

function post(method: string, params: object): Record<string, unknown> {
  session ??= connect();
  let failure: Error | null = null;
  let answer: unknown;
  // The callback of an in-process session runs before `post` returns.
  session.post(method, params, (error, result) => {
    failure = error;
    answer = result;
  });
  if (failure !== null) throw Object.assign(new Error(`inspector: ${method}`), { cause: failure });
  return answer as Record<string, unknown>;
}

/** No domain is enabled: that would keep every script and every console argument alive. */
function connect(): Session {
  const made = new Session();
  made.connect();
  return made;
}

function remoteOf(subject: unknown): string {
  if (bridgeId === undefined) {
    // The inspector looks into the main context, also where a test runner runs us in another.
    const main = (Session as unknown as { constructor: FunctionConstructor }).constructor(
      "return globalThis",
    )() as object;
    Object.defineProperty(main, BRIDGE, { value: bridge, configurable: true });
    const { result } = post("Runtime.evaluate", {
      expression: `globalThis[Symbol.for(${JSON.stringify(BRIDGE.description)})]`,
    });
    bridgeId = (result as Remote).objectId!;
    delete (main as Record<symbol, unknown>)[BRIDGE];
  }
  bridge.subject = subject;
  const { result } = post("Runtime.callFunctionOn", {
    objectId: bridgeId,
    functionDeclaration: "function () { return this.subject; }",
    objectGroup: GROUP,
  });
  bridge.subject = undefined;
  return (result as Remote).objectId!;
}

function internals(subject: unknown): Map<string, Remote> {
  const found = post("Runtime.getProperties", { objectId: remoteOf(subject), ownProperties: true });
  const properties = (found["internalProperties"] ?? []) as readonly Property[];
  return new Map(
    properties.flatMap((property) => (property.value === undefined ? [] : [[property.name, property.value]])),
  );
}

function realValue(remote: Remote): unknown {
  if (remote.objectId === undefined) return remote.value;
  const into = new Map<string, LiveVariable>();
  bridge.sink = into;
  post("Runtime.callFunctionOn", {
    objectId: bridgeId!,
    functionDeclaration: "function (value) { this.sink.set('value', { value }); }",
    arguments: [{ objectId: remote.objectId }],
  });
  const found = into.get("value");
  return found !== undefined && "value" in found ? found.value : undefined;
}

function readScope(remote: Remote): LiveScope | undefined {
  const description = remote.description ?? "";
  if (description.startsWith("Global")) return undefined;
  const variables = new Map<string, LiveVariable>();
  bridge.sink = variables;
  post("Runtime.callFunctionOn", {
    objectId: remote.objectId,
    functionDeclaration: "function (bridge) { bridge.read(this.object ?? this, bridge.sink); }",
    arguments: [{ objectId: bridgeId! }],
  });
  const kind = description.startsWith("Module") ? "module" : description.startsWith("Script") ? "script" : "function";
  return { kind, variables };
}

/** Reads a function's place and every variable it can see. Undefined for native and bound functions. */
export function inspectFunction(subject: AnyFunction): LiveFunction | undefined {
  try {
    const found = internals(subject);
    const location = found.get("[[FunctionLocation]]")?.value as
      | { scriptId: string; lineNumber: number; columnNumber: number }
      | undefined;
    const list = found.get("[[Scopes]]");
    if (location === undefined || list?.objectId === undefined) return undefined;
    const { result } = post("Runtime.getProperties", { objectId: list.objectId, ownProperties: true });
    const scopes: LiveScope[] = [];
    for (const property of result as readonly Property[]) {
      if (!/^\d+$/.test(property.name) || property.value?.objectId === undefined) continue;
      const scope = readScope(property.value);
      if (scope !== undefined) scopes.push(scope);
    }
    return {
      location: { scriptId: location.scriptId, line: location.lineNumber, column: location.columnNumber },
      scopes,
    };
  } finally {
    release();
  }
}

/** What `.bind` was given, or undefined when the function is not a bound one. */
export function inspectBound(subject: AnyFunction): BoundFunction | undefined {
  try {
    const found = internals(subject);
    const target = found.get("[[TargetFunction]]");
    if (target === undefined) return undefined;
    const self = found.get("[[BoundThis]]");
    const args = found.get("[[BoundArgs]]");
    return {
      target: realValue(target) as AnyFunction,
      self: self === undefined ? undefined : realValue(self),
      args: args === undefined ? [] : [...(realValue(args) as readonly unknown[])],
    };
  } finally {
    release();
  }
}

function release(): void {
  bridge.sink = new Map();
  post("Runtime.releaseObjectGroup", { objectGroup: GROUP });
}

const urls = new Map<string, string>();

/**
 * The URL of a script. V8 tells it without the debugger only in its coverage report, which it has for every live
 * script whether or not coverage was asked for (about 4 ms).
 */
export function scriptUrl(scriptId: string): string | undefined {
  if (!urls.has(scriptId)) {
    const { result } = post("Profiler.getBestEffortCoverage", {});
    for (const script of result as readonly { scriptId: string; url: string }[]) urls.set(script.scriptId, script.url);
    if (!urls.has(scriptId)) learnUrls();
  }
  return urls.get(scriptId);
}

/** The report leaves out a module in its first run: the debugger names each script when it is switched on (some 40 ms). */
function learnUrls(): void {
  const learn = ({ params }: { params: { scriptId: string; url: string } }): void =>
    void urls.set(params.scriptId, params.url);
  session!.on("Debugger.scriptParsed", learn);
  post("Debugger.enable", { maxScriptsCacheSize: 0 });
  post("Debugger.disable", {});
  session!.off("Debugger.scriptParsed", learn);
}

/**
 * The exact text that V8 runs for a script. Needs the debugger for a moment (some 40 ms, and more with many scripts), so
 * it is only the last resort, for programs that rewrite their modules in a way that we can't repeat (test runners).
 */
export function scriptText(scriptId: string): string | undefined {
  try {
    post("Debugger.enable", { maxScriptsCacheSize: 0 });
    return post("Debugger.getScriptSource", { scriptId })["scriptSource"] as string;
  } catch {
    return undefined;
  } finally {
    post("Debugger.disable", {});
  }
}
