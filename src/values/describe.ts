import type { AnyFunction } from "./hooks.ts";
import { Refusal } from "./refusal.ts";

/** Modules under which users know classes that often turn up inside values. */
const MODULES: Readonly<Record<string, string>> = {
  Socket: "net",
  Server: "net",
  TLSSocket: "tls",
  IncomingMessage: "http",
  ServerResponse: "http",
  ClientRequest: "http",
  Agent: "http",
  ReadStream: "fs",
  WriteStream: "fs",
  FSWatcher: "fs",
  FileHandle: "fs",
  ChildProcess: "child_process",
  Worker: "worker_threads",
  MessagePort: "worker_threads",
  Timeout: "timers",
  Immediate: "timers",
  EventEmitter: "events",
  KeyObject: "crypto",
};

interface Why {
  readonly reason: string;
  readonly advice: string;
}

const BY_TAG: Readonly<Record<string, Why>> = {
  Promise: { reason: "a promise is no value yet", advice: "Await it first, and pass what it gives." },
  WeakMap: { reason: "what it holds can't be listed", advice: "Pass a Map." },
  WeakSet: { reason: "what it holds can't be listed", advice: "Pass a Set." },
  WeakRef: { reason: "it only points at an object of this process", advice: "Pass the object itself: ref.deref()." },
  Generator: {
    reason: "it is in the middle of its run",
    advice: "Pass its elements, [...it], or an async iterable as a whole argument.",
  },
  AsyncGenerator: {
    reason: "it is in the middle of its run",
    advice: "Pass it as a whole argument, so that it streams.",
  },
  Blob: {
    reason: "its bytes can only be read asynchronously",
    advice: "Pass new Uint8Array(await blob.arrayBuffer()).",
  },
  File: {
    reason: "its bytes can only be read asynchronously",
    advice: "Pass new Uint8Array(await file.arrayBuffer()).",
  },
  AbortSignal: {
    reason: "it belongs to this process",
    advice: "Give it as { signal } of the call, and use sky.task().signal inside the function.",
  },
  AbortController: {
    reason: "it belongs to this process",
    advice: "Give { signal } to the call, and use sky.task().signal inside the function.",
  },
};

const HANDLE: Why = {
  reason: "it is tied to this process",
  advice: "Open it inside the function, and pass what is needed to open it.",
};

/** What to do about an object of a class that is the platform's. */
export const MAKE_THERE = "Make it inside the function, or with sky.once.";

/** Why an object of a class that nobody registered is refused, in words. */
export function refusalOf(value: object): Refusal {
  const name = className(value);
  const module = MODULES[name];
  const label = module === undefined ? name : `${module}.${name}`;
  const tag = Object.prototype.toString.call(value).slice(8, -1);
  const known = BY_TAG[tag] ?? (isHandle(value) || module !== undefined ? HANDLE : undefined);
  if (known !== undefined) return new Refusal(label, known.reason, known.advice);
  if (tag.endsWith(" Iterator"))
    return new Refusal(label, "it is in the middle of its run", "Pass its elements: [...it].");
  if (name === "" || name === "Object") {
    const reason = "its prototype is an object of this process";
    return new Refusal(name, reason, "Pass a plain copy, { ...it }, or make it an instance of a class.");
  }
  if (isBuiltin(value, name))
    return new Refusal(label, `it is an object of the built-in class ${name}, which does not cross`, MAKE_THERE);
  return new Refusal(
    label,
    `it is an instance of the class ${name}, which the other end does not know`,
    `Register the class where it is declared, sky.register(${name}), or pass plain data.`,
  );
}

export function functionRefusal(fn: AnyFunction): Refusal {
  const own: unknown = fn.name;
  const name = typeof own === "string" && own !== "" ? own : "function";
  const advice = "Let the function that you run refer to it by name, or pass plain data.";
  return new Refusal(name, "functions don't travel inside data here", advice);
}

/** The name of the value's class, as its prototype tells it; empty where it has none. */
export function className(value: object): string {
  const prototype = Object.getPrototypeOf(value) as { constructor?: unknown } | null;
  const constructor = prototype?.constructor;
  if (typeof constructor !== "function") return "";
  return typeof constructor.name === "string" ? constructor.name : "";
}

function isHandle(value: object): boolean {
  const v = value as Record<string, unknown>;
  if (typeof v["pipe"] === "function" && typeof v["on"] === "function") return true;
  return typeof v["getReader"] === "function" || typeof v["getWriter"] === "function";
}

/** Whether the class is the language's, in whatever realm, or a global of the platform. */
function isBuiltin(value: object, name: string): boolean {
  const { constructor } = Object.getPrototypeOf(value) as { readonly constructor: (...args: never) => unknown };
  if (/\{\s*\[native code\]\s*\}$/.test(Function.prototype.toString.call(constructor))) return true;
  return (globalThis as unknown as Record<string, unknown>)[name] === constructor;
}
