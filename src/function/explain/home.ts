import { inspectFunction } from "../capture/inspector.ts";
import { moduleOf } from "../capture/loaded-module.ts";

type AnyFunction = (...args: never) => unknown;

/** Where a function is written, as far as that can be told: also of one that can't be captured. */
export function homeOf(body: AnyFunction): { readonly file: string; readonly line: number } {
  const live = inspectFunction(body);
  if (live === undefined) return { file: "", line: 0 };
  const text = Function.prototype.toString.call(body);
  const module = moduleOf(text, live.location, live.scopes.some((scope) => scope.kind === "module") ? "esm" : "cjs");
  if ("why" in module) return { file: "", line: 0 };
  const { file, line } = module.original(module.startOf(text, live.location)!);
  return { file, line };
}
