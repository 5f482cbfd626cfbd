import { childrenOf, isNode, type Node, parse } from "../capture/parser.ts";

/** A literal specifier in a module's text. */
export interface Specifier {
  readonly value: string;
  readonly kind: "import-statement" | "dynamic-import" | "require-call" | "new-url";
  /** The literal with its quotes. */
  readonly start: number;
  readonly end: number;
  /** For import statements: the names, and where attributes may be put. */
  readonly statement?: Node;
}

/** Everything in the text that names another file by a literal. */
export function specifiersIn(text: string, kind: "esm" | "cjs"): Specifier[] {
  const found: Specifier[] = [];
  const requires = new Set(["require"]);
  const nodes: Node[] = [parse(text, kind)];
  for (let i = 0; i < nodes.length; i++) {
    const node = nodes[i]!;
    if (node.type === "VariableDeclarator" && isCreateRequire(node["init"]) && isNode(node["id"]))
      requires.add(node["id"]["name"] as string);
    nodes.push(...childrenOf(node));
  }
  for (const node of nodes) collect(node, found, requires);
  return found.sort((a, b) => a.start - b.start);
}

function collect(node: Node, found: Specifier[], requires: Set<string>): void {
  switch (node.type) {
    case "ImportDeclaration":
    case "ExportNamedDeclaration":
    case "ExportAllDeclaration":
      add(found, node["source"], "import-statement", node);
      return;
    case "ImportExpression":
      add(found, node["source"], "dynamic-import");
      return;
    case "CallExpression": {
      const callee = node["callee"] as Node;
      const [first] = node["arguments"] as readonly Node[];
      const target =
        callee.type === "MemberExpression" &&
        callee["computed"] === false &&
        (callee["property"] as Node)["name"] === "resolve"
          ? (callee["object"] as Node)
          : callee;
      if ((target.type === "Identifier" && requires.has(target["name"] as string)) || isCreateRequire(target))
        add(found, first, "require-call");
      return;
    }
    case "NewExpression": {
      const [first, second] = node["arguments"] as readonly Node[];
      if ((node["callee"] as Node)["name"] === "URL" && isImportMetaUrl(second)) add(found, first, "new-url");
      return;
    }
    default:
  }
}

function add(found: Specifier[], literal: unknown, kind: Specifier["kind"], statement?: Node): void {
  if (!isNode(literal)) return;
  const quasis = literal["quasis"] as readonly Node[] | undefined;
  const value =
    literal.type === "Literal"
      ? literal["value"]
      : quasis?.length === 1
        ? (quasis[0]!["value"] as { cooked: string }).cooked
        : undefined;
  if (typeof value === "string")
    found.push({
      value,
      kind,
      start: literal.start,
      end: literal.end,
      ...(statement === undefined ? {} : { statement }),
    });
}

function isCreateRequire(node: unknown): boolean {
  if (!isNode(node) || node.type !== "CallExpression") return false;
  const callee = node["callee"] as Node;
  const name = callee.type === "MemberExpression" ? (callee["property"] as Node)["name"] : callee["name"];
  return name === "createRequire";
}

function isImportMetaUrl(node: unknown): boolean {
  return (
    isNode(node) &&
    node.type === "MemberExpression" &&
    isNode(node["object"]) &&
    node["object"].type === "MetaProperty" &&
    (node["property"] as Node)["name"] === "url"
  );
}
