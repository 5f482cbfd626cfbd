import { isPackage } from "./homes.ts";
import { inspectFunction, type LiveFunction, scriptUrl } from "./inspector.ts";
import { placeOf } from "./live-place.ts";
import { fileOfUrl } from "./loaded-module.ts";
import { isNode } from "./parser.ts";
import type { Stretch } from "./slot.ts";
import { declarationOf } from "./variable.ts";

type AnyFunction = (...args: never) => unknown;

/**
 * The class that a class extends, where its text does not lead there: the engine keeps no variable that only `extends`
 * names, and what is computed there, `extends mixin(Base)`, would be another class when it is computed again. Undefined
 * where the text does, or where the parent is not the user's own.
 */
export function parentOf(value: AnyFunction, { node, module }: Stretch, live: LiveFunction): AnyFunction | undefined {
  const above = node["superClass"];
  const parent: unknown = Object.getPrototypeOf(value);
  if (!isNode(above) || typeof parent !== "function" || parent === Function.prototype) return undefined;
  const uses = module.freeUses(above.start, above.end);
  const isFound = uses.every((use) => {
    if (use.variable === undefined || declarationOf(use.variable, module).kind !== "other") return true;
    return above.type === "Identifier" && placeOf(use.name, live, value, node) !== undefined;
  });
  return isFound || !isOwn(parent as AnyFunction) ? undefined : (parent as AnyFunction);
}

function isOwn(parent: AnyFunction): boolean {
  const live = inspectFunction(parent);
  const url = live === undefined ? undefined : scriptUrl(live.location.scriptId);
  const file = url === undefined ? undefined : fileOfUrl(url);
  return file !== undefined && !isPackage(file);
}
