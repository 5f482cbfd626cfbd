import { decode } from "../../../values/decode.ts";
import { keepExternal } from "../../../values/externals.ts";
import { blobBytes } from "../../../wire/blob-bytes.ts";
import type { AnyClass, AnyFunction, DecodeHooks, EncodeHooks } from "../../../values/hooks.ts";

/** Gives a function, or a class, for the values that it closes over; hands on what both ends know by its index. */
export type Make = (values: unknown, known?: (list: readonly unknown[]) => void) => AnyFunction;

/** What an entry module exports. */
export interface EntryModule {
  readonly make?: Make;
  /** Of what both ends know, the part that needs no values. */
  readonly known?: readonly unknown[];
  /** What makes the functions and classes that came with a call's arguments. */
  readonly carried?: readonly Make[];
  readonly default?: EntryModule;
}

/** Classes that came with arguments, by the values that they close over. */
const MOST_CLASSES = 256;

/** How functions and instances cross for one function: known ones by index, others as their code and values. */
export class CodeHooks {
  readonly decode: DecodeHooks;
  readonly encode: EncodeHooks;
  readonly #carried: readonly Make[];
  readonly #classes = new Map<string, AnyFunction>();
  /** What stands for a function or class on the wire. */
  readonly #described = new Map<unknown, number>();
  readonly #arrived = new WeakMap<AnyFunction, unknown>();
  #known: readonly unknown[] = [];

  constructor({ known, carried }: EntryModule) {
    this.#carried = carried ?? [];
    this.know(known ?? []);
    this.decode = {
      resolveClass: (id) => this.#class(id),
      resolveFunction: (state) => this.#function(state),
      errorClass: (name) => this.#errorClass(name),
    };
    this.encode = {
      external: keepExternal,
      blob: blobBytes,
      classOf: (instance) => this.#idOf(instance),
      function: (value) => this.#described.get(value) ?? this.#arrived.get(value),
    };
  }

  know = (list: readonly unknown[]): void => {
    this.#known = list;
    for (const [index, value] of list.entries()) if (value !== undefined) this.#described.set(value, index);
  };

  #class(id: string): AnyClass | undefined {
    const known = id.startsWith("#") ? this.#known[Number(id.slice(1))] : this.#classes.get(id);
    if (known !== undefined) return known as AnyClass;
    const [, number, values] = /^\+(\d+)(?: (.*))?$/.exec(id) ?? [];
    const make = this.#carried[Number(number)];
    if (make === undefined) return undefined;
    const made = make(values === undefined ? undefined : decode(Buffer.from(values, "base64")));
    this.#classes.set(id, made);
    this.#arrived.set(made, id);
    if (this.#classes.size > MOST_CLASSES) this.#classes.delete(this.#classes.keys().next().value!);
    return made as unknown as AnyClass;
  }

  #function(state: unknown): AnyFunction {
    if (typeof state === "number") return this.#known[state] as AnyFunction;
    const [code, , values] = state as readonly [number, number, unknown];
    const made = this.#carried[code]!(values);
    this.#arrived.set(made, state);
    return made;
  }

  #errorClass(name: string): AnyFunction | undefined {
    const found = this.#known.find(
      (value) => typeof value === "function" && value.name === name && value.prototype instanceof Error,
    );
    return found as AnyFunction | undefined;
  }

  #idOf(instance: object): { readonly id: string } | undefined {
    const { constructor } = Object.getPrototypeOf(instance) as { readonly constructor: AnyFunction };
    const index = this.#described.get(constructor);
    const id = index === undefined ? this.#arrived.get(constructor) : `#${index}`;
    return typeof id === "string" ? { id } : undefined;
  }
}
