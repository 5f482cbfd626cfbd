import type { Variable } from "eslint-scope";
import { existsSync } from "node:fs";
import path, { dirname } from "node:path";
import url, { fileURLToPath } from "node:url";
import type { LoadedModule } from "./loaded-module.ts";
import { childrenOf, isNode, type Node } from "./parser.ts";
import { IMPORT_META } from "./variable.ts";

/** What may be called in an expression that is evaluated again on the node: it only puts paths together. */
const CALLS = new Set<unknown>([...Object.values(path), url.fileURLToPath, url.pathToFileURL, URL, String]);
/** The same by name, where the engine keeps no value for what only the module's top level uses. */
const CALL_NAMES = /^(join|resolve|dirname|normalize|relative|basename|fileURLToPath|pathToFileURL)$/;
const PLAIN = new Set(
  (
    "Literal TemplateLiteral TemplateElement Identifier MemberExpression MetaProperty BinaryExpression LogicalExpression " +
    "ArrayExpression ObjectExpression Property SequenceExpression NewExpression CallExpression ChainExpression"
  ).split(" "),
);

/** Whether the value names places of this machine that its initialiser works out from the module's own place. */
export function comesFromOwnPlace(value: unknown, initialiser: Node, module: LoadedModule): boolean {
  return placesIn(value, module.file).length > 0 && mentionsOwnPlace(initialiser, module, new Set());
}

/** In CommonJS, tsx makes an object of `import.meta`: the same for the emitted module. */
export const META_TEXT =
  '{ dirname: __dirname, filename: __filename, url: require("node:url").pathToFileURL(__filename).href }';

/** Whether evaluating it again gives the same path beside the emitted module, and nothing else happens. */
export function onlyJoinsPaths(node: Node, valueOf: (name: string) => unknown): boolean {
  if (!PLAIN.has(node.type)) return false;
  if (node.type === "CallExpression" || node.type === "NewExpression") {
    const value = calledValue(node["callee"] as Node, valueOf);
    const isKnown = value === undefined ? CALL_NAMES.test(calledName(node["callee"] as Node)) : CALLS.has(value);
    if (!isKnown) return false;
  }
  if (node.type === "MemberExpression" && node["computed"] === true && !isLiteral(node["property"])) return false;
  for (const child of childrenOf(node)) if (!onlyJoinsPaths(child, valueOf)) return false;
  return true;
}

/** Absolute paths in plain data, such as those of the module's own folder. */
export function placesIn(value: unknown, file: string, depth = 0): string[] {
  if (typeof value === "string") {
    const place = value.startsWith("file://") ? pathOf(value) : value;
    return place?.startsWith("/") && (place.startsWith(dirname(file)) || existsSync(place)) ? [place] : [];
  }
  if (value instanceof URL) return value.protocol === "file:" ? [fileURLToPath(value)] : [];
  if (typeof value !== "object" || value === null || depth > 3) return [];
  const proto: unknown = Object.getPrototypeOf(value);
  if (proto !== Object.prototype && proto !== Array.prototype) return [];
  return Object.values(Object.getOwnPropertyDescriptors(value))
    .slice(0, 100)
    .flatMap((item) => placesIn(item.value, file, depth + 1));
}

function mentionsOwnPlace(node: Node, module: LoadedModule, seen: Set<Variable>): boolean {
  if (node.type === "MetaProperty" && (node["meta"] as Node)["name"] === "import") return true;
  const name = node.type === "Identifier" ? (node["name"] as string) : "";
  if (/^(__dirname|__filename|__vite_ssr_import_meta__)$/.test(name) || IMPORT_META.test(name)) return true;
  for (const child of childrenOf(node)) if (mentionsOwnPlace(child, module, seen)) return true;
  if (node.type !== "Identifier") return false;
  const variable = module.freeUses(node.start, node.end)[0]?.variable;
  if (variable === undefined || seen.has(variable)) return false;
  seen.add(variable);
  return variable.defs.some((definition) => {
    const init = (definition.node as unknown as Node)["init"];
    return (definition.type as string) === "Variable" && isNode(init) && mentionsOwnPlace(init, module, seen);
  });
}

function calledValue(callee: Node, valueOf: (name: string) => unknown): unknown {
  if (callee.type === "Identifier") {
    const name = callee["name"] as string;
    return valueOf(name) ?? (globalThis as Record<string, unknown>)[name];
  }
  if (callee.type === "SequenceExpression")
    return calledValue((callee["expressions"] as readonly Node[]).at(-1)!, valueOf);
  if (callee.type !== "MemberExpression" || callee["computed"] === true) return undefined;
  const holder = calledValue(callee["object"] as Node, valueOf) as Record<string, unknown> | null | undefined;
  return holder?.[(callee["property"] as Node)["name"] as string];
}

function calledName(callee: Node): string {
  if (callee.type === "SequenceExpression") return calledName((callee["expressions"] as readonly Node[]).at(-1)!);
  return String((callee.type === "MemberExpression" ? (callee["property"] as Node) : callee)["name"]);
}

function isLiteral(node: unknown): boolean {
  return isNode(node) && node.type === "Literal";
}

function pathOf(text: string): string | undefined {
  try {
    return fileURLToPath(text);
  } catch {
    return undefined;
  }
}
