import { childrenOf, isNode, type Node, parse } from "../capture/parser.ts";
import type { References } from "./references.ts";

/** The names that a module imports by these specifiers: `*` among them where it takes the whole. */
export function namesImported(
  text: string,
  kind: "esm" | "cjs",
  { specifiers }: References,
  wanted: ReadonlySet<string>,
): Set<string> {
  const found = new Set<string>();
  const ast = parse(text, kind);
  for (const specifier of specifiers) {
    if (!wanted.has(specifier.value)) continue;
    const nodes = around(ast, specifier.start, specifier.end);
    const statement =
      specifier.kind === "import-statement" ? nodes.findLast(({ type }) => STATEMENT.test(type)) : undefined;
    if (statement !== undefined) for (const name of namesInStatement(statement)) found.add(name);
    else for (const name of namesRequired(ast, nodes)) found.add(name);
  }
  return found;
}

const STATEMENT = /^(?:Import|ExportNamed|ExportAll)Declaration$/;

function namesInStatement(statement: Node): string[] {
  if (statement.type === "ExportAllDeclaration") return ["*"];
  return (statement["specifiers"] as readonly Node[]).map((node) => {
    if (node.type === "ImportDefaultSpecifier") return "default";
    if (node.type === "ImportNamespaceSpecifier") return "*";
    const name = (node["imported"] ?? node["local"]) as Node;
    return (name["name"] ?? name["value"]) as string;
  });
}

/** Of `const { a } = require("./main")` and `var main = require("./main"); main.a`, the names. */
function namesRequired(ast: Node, nodes: readonly Node[]): string[] {
  const declarator = nodes.findLast((node) => node.type === "VariableDeclarator");
  const id = declarator?.["id"] as Node | undefined;
  if (id?.type === "ObjectPattern") {
    const keys = (id["properties"] as readonly Node[]).map(
      (property) => (property["key"] as Node | undefined)?.["name"],
    );
    return keys.map((key) => (typeof key === "string" ? key : "*"));
  }
  if (id?.type !== "Identifier") return ["*"];
  const names = new Set<string>();
  const open: Node[] = [ast];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    const object = node["object"];
    if (node.type === "MemberExpression" && isNode(object) && object["name"] === id["name"]) {
      const property = node["property"] as Node;
      names.add(node["computed"] === true ? "*" : (property["name"] as string));
    }
    open.push(...childrenOf(node));
  }
  return [...names];
}

function around(ast: Node, start: number, end: number): Node[] {
  const found: Node[] = [];
  for (let at: Node | undefined = ast; at !== undefined;) {
    found.push(at);
    let next: Node | undefined;
    for (const child of childrenOf(at)) if (child.start <= start && child.end >= end) next = child;
    at = next;
  }
  return found;
}
