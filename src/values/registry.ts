import { SkyError } from "../errors/sky-error.ts";
import type { AnyClass, AnyFunction } from "./hooks.ts";

/** Where a class keeps its own codec: `static [sky.codec] = { encode, decode }`. The same in each copy of the package. */
export const codec: unique symbol = Symbol.for("skyward.codec") as never;

/** How instances of a class cross. `encode` gives what can travel; `decode` makes the instance again. */
export interface Codec<T extends object = object, S = unknown> {
  /** The name of the class on the wire. @default the class's name */
  readonly id?: string;
  encode(instance: T): S;
  decode(state: S): T;
}

interface Entry {
  readonly id: string;
  readonly constructor: AnyFunction;
  readonly codec: Codec | undefined;
}

interface Registry {
  readonly byId: Map<string, Entry>;
  readonly byClass: WeakMap<object, Entry>;
}

// One for all copies of the package in a thread: the agent's bundle and the user's import must agree.
const KEY = Symbol.for("skyward.registry");
const shared = globalThis as { [KEY]?: Registry };
const registry: Registry = (shared[KEY] ??= { byId: new Map(), byClass: new WeakMap() });

/**
 * Lets instances of a class travel. Call it at the top level of the module that declares the class, so that both ends do.
 * Without a codec the own properties travel and the constructor is not run; a class with private fields needs a codec,
 * given here or as `static [sky.codec]`.
 *
 * ```ts
 * sky.register(Point);
 * sky.register(Money, { encode: (m) => m.toString(), decode: (text) => Money.parse(text) });
 * ```
 * @throws SKY_BAD_OPTION where the class has no name and the codec no id, or the codec lacks a method
 */
export function register<T extends object, S>(
  constructor: abstract new (...args: never[]) => T,
  using?: Codec<T, S>,
): void {
  if (typeof constructor !== "function" || typeof (constructor as { prototype?: unknown }).prototype !== "object") {
    throw new SkyError("SKY_BAD_OPTION", "register() takes a class first.");
  }
  const own = (using as Codec | undefined) ?? ownCodec(constructor);
  if (own !== undefined && (typeof own.encode !== "function" || typeof own.decode !== "function")) {
    throw new SkyError(
      "SKY_BAD_OPTION",
      `The codec of ${constructor.name || "the class"} needs both encode and decode.`,
    );
  }
  const id = own?.id ?? constructor.name;
  if (id === "") {
    throw new SkyError("SKY_BAD_OPTION", "A class without a name can't be registered without an id.", {
      hint: 'Name the class, or give an id: sky.register(Class, { id: "geo/Point", encode, decode }).',
    });
  }
  const entry: Entry = { id, constructor: constructor as unknown as AnyFunction, codec: own };
  // The newest wins: a module that is loaded again after an edit registers its class again.
  registry.byId.set(id, entry);
  registry.byClass.set(constructor, entry);
}

/** What is registered for exactly this class, subclasses apart. */
export function registeredClass(constructor: AnyFunction): Entry | undefined {
  return registry.byClass.get(constructor);
}

export function registeredId(id: string): Entry | undefined {
  return registry.byId.get(id);
}

/** The class's `static [sky.codec]`, not an inherited one: that would make instances of the parent. */
export function ownCodec(constructor: AnyFunction | AnyClass): Codec | undefined {
  if (!Object.hasOwn(constructor, codec)) return undefined;
  return (constructor as unknown as { [codec]: Codec })[codec];
}

/** Whether another class took this entry's name since. Loading the same source again does not count. */
export function isShadowed(entry: Entry): boolean {
  const current = registry.byId.get(entry.id);
  if (current === undefined || current.constructor === entry.constructor) return false;
  return Function.prototype.toString.call(current.constructor) !== Function.prototype.toString.call(entry.constructor);
}
