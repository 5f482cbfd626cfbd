import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { childrenOf, isNode, type Node, parse } from "../capture/parser.ts";
import type { ExplainedPackage } from "./explanation.ts";
import { sizeText } from "./size.ts";

/** From here on, a package that travels whole is worth a word. */
const LARGE = 5e6;
const MAYBE = /\brequire\(\s*[^\s"'`)\d]/;

/** A package that travels whole and is large: what makes it so is `culprit`, one of its files. */
export function warnOfSize({ name, version, size, whole }: ExplainedPackage, culprit: string): string[] {
  if (!whole || size <= LARGE) return [];
  return [
    `${name} ${version} travels whole, ${sizeText(size)}: ${basename(culprit)} looks for files beside itself. ` +
      "Import a part of it, if it has parts, or use another package.",
  ];
}

/** A package that is compiled when it is installed, by a script that may not run elsewhere. */
export function warnOfScript({ name, version }: { readonly name: string; readonly version: string }): string {
  return (
    `${name} ${version} is built by its install script, which runs on other machines only if package.json lists it: ` +
    `"allowScripts": { ${JSON.stringify(name)}: true }.`
  );
}

/** A `require` of what only the run tells: that file is on the node only if something else names it. */
export function warnOfRequire(name: string, file: string): string[] {
  if (!/\.c?js$/.test(file)) return [];
  const text = readFileSync(file, "utf8");
  if (!MAYBE.test(text) || !requiresVariable(text)) return [];
  return [`${name} requires what only its run tells, in ${basename(file)}: a file that nothing else names is missing.`];
}

function requiresVariable(text: string): boolean {
  let found = false;
  const open: Node[] = [];
  try {
    open.push(parse(text, "cjs"));
  } catch {
    return false;
  }
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    // A bundle brings a require of its own, for modules that it holds.
    if (declaresRequire(node)) return false;
    if (node.type === "CallExpression" && isRequire(node["callee"])) {
      const [first] = node["arguments"] as readonly Node[];
      if (first !== undefined && !isLiteral(first)) found = true;
    }
    open.push(...childrenOf(node));
  }
  return found;
}

function declaresRequire(node: Node): boolean {
  if (node.type === "VariableDeclarator") return isRequire(node["id"]);
  const parameters = node["params"];
  return Array.isArray(parameters) && parameters.some(isRequire);
}

function isRequire(node: unknown): boolean {
  return isNode(node) && node.type === "Identifier" && node["name"] === "require";
}

function isLiteral(node: Node): boolean {
  return (
    node.type === "Literal" || (node.type === "TemplateLiteral" && (node["expressions"] as unknown[]).length === 0)
  );
}
