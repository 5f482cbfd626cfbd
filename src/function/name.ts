import { basename } from "node:path";
import { inspectFunction } from "./capture/inspector.ts";
import { Lines } from "./capture/lines.ts";
import { moduleOf } from "./capture/loaded-module.ts";

type AnyFunction = (...args: never) => unknown;

const IDENTIFIER = String.raw`([\p{ID_Start}$_][\p{ID_Continue}$]*)`;
const CALL = String.raw`(?:await\s+)?(?:\(0\s*,\s*)?[\p{ID_Continue}$.]+\)?\s*(?:<[^()]*>)?\s*\(\s*$`;
/** `const train = sky.fn(`, `train: Fn<...> = sky.fn(`, `this.train = sky.fn(` */
const ASSIGNED = new RegExp(String.raw`${IDENTIFIER}\s*[?!]?\s*(?::[^=;]*)?=\s*${CALL}`, "u");
/** `{ train: sky.fn(` */
const PROPERTY = new RegExp(String.raw`${IDENTIFIER}["']?\s*:\s*${CALL}`, "u");

const names = new WeakMap<AnyFunction, string>();

/**
 * A name for a body: its own, else that of the variable or property that the call around it is assigned to, else
 * `file:line`. JavaScript gives no name to a function that is written as an argument, so its file is read.
 */
export function nameOf(body: AnyFunction): string {
  if (body.name !== "") return body.name.replace(/^bound /, "");
  let name = names.get(body);
  if (name === undefined) {
    name = readName(body) ?? "anonymous";
    names.set(body, name);
  }
  return name;
}

function readName(body: AnyFunction): string | undefined {
  const live = inspectFunction(body);
  if (live === undefined) return undefined;
  const text = Function.prototype.toString.call(body);
  const module = moduleOf(text, live.location, live.scopes.some((scope) => scope.kind === "module") ? "esm" : "cjs");
  if ("why" in module) return undefined;
  const start = module.startOf(text, live.location)!;
  const place = module.original(start);
  const original = module.originalText(place.file);
  const at = original === undefined ? 0 : new Lines(original).offset(place.line - 1, place.column - 1);
  // The user's own text first, since a minifier leaves no names; a map that is not exact leads beside the place there.
  const name = nameBefore(original ?? "", at) ?? nameBefore(module.source, start);
  if (name !== undefined) return name;
  return `${basename(place.file)}:${place.line}`;
}

function nameBefore(text: string, end: number): string | undefined {
  const before = text.slice(Math.max(0, end - 400), end);
  return (ASSIGNED.exec(before) ?? PROPERTY.exec(before))?.[1];
}
