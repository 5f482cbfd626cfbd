import type { AnyClass, DecodeHooks, EncodeHooks } from "../../values/hooks.ts";
import { keepExternal } from "../../values/externals.ts";
import { blobBytes } from "../../wire/blob-bytes.ts";
import { SkyError } from "../../errors/sky-error.ts";
import { CarryingCode } from "./carrying-code.ts";
import type { Code } from "./code.ts";
import { knownIndex } from "./known-code.ts";

type AnyFunction = (...args: never) => unknown;

const encoders = new WeakMap<Code, Map<string, EncodeHooks>>();
const decoders = new WeakMap<Code, DecodeHooks>();

/**
 * How functions and instances cross to a node, for the code that `carry` gave: by their index where the code knows them,
 * else by what the code carries. `root` is what messages call the value.
 */
export function argumentHooks(code: Code, root: "args" | "item" | "captured"): EncodeHooks {
  let byRoot = encoders.get(code);
  if (byRoot === undefined) encoders.set(code, (byRoot = new Map()));
  let hooks = byRoot.get(root);
  if (hooks === undefined) byRoot.set(root, (hooks = makeEncodeHooks(code, root)));
  return hooks;
}

/** How functions, instances and errors come back from a node that ran the code. */
export function resultHooks(code: Code): DecodeHooks {
  let hooks = decoders.get(code);
  if (hooks === undefined) decoders.set(code, (hooks = makeDecodeHooks(code)));
  return hooks;
}

function makeEncodeHooks(code: Code, root: string): EncodeHooks {
  const known = knownIndex(code);
  const carrying = code instanceof CarryingCode ? code : undefined;
  return {
    root,
    external: keepExternal,
    blob: blobBytes,
    classOf(instance) {
      const { constructor } = Object.getPrototypeOf(instance) as { readonly constructor: AnyFunction };
      const index = known.get(constructor);
      const id = index === undefined ? carrying?.classId(constructor) : `#${index}`;
      return id === undefined ? undefined : { id };
    },
    function: (value) => known.get(value) ?? carrying?.describe(value),
  };
}

function makeDecodeHooks(code: Code): DecodeHooks {
  const carrying = code instanceof CarryingCode ? code : undefined;
  return {
    errorClass: (name) => code.errorClasses.get(name),
    mapStack: (stack) => code.mapStack(stack),
    resolveClass(id) {
      const found = id.startsWith("#") ? code.known[Number(id.slice(1))] : carrying?.classOf(id);
      return found as unknown as AnyClass | undefined;
    },
    resolveFunction(state) {
      const number = Array.isArray(state) ? (state as readonly unknown[])[1] : undefined;
      const found = typeof state === "number" ? code.known[state] : carrying?.instance(Number(number));
      if (found !== undefined) return found;
      throw new SkyError("SKY_VALUE_MALFORMED", "A function came back that was never sent.");
    },
  };
}
