import { childrenOf, isNode, type Node, parse } from "../capture/parser.ts";
import { isOwnUrl, OwnPlaces } from "./own-places.ts";

export type ReferenceKind = "import-statement" | "dynamic-import" | "require-call" | "new-url";

/** A literal specifier in a module's text. */
export interface Specifier {
  readonly value: string;
  readonly kind: ReferenceKind;
  /** The literal with its quotes. */
  readonly start: number;
  readonly end: number;
  /** Whether it is an import statement with attributes. */
  readonly attributes?: boolean;
}

/** A specifier that is put together at run time. */
export interface ComputedSpecifier {
  readonly kind: Exclude<ReferenceKind, "import-statement">;
  /** The expression. */
  readonly start: number;
  readonly end: number;
  /** Its fixed stretches, with one gap between each two; undefined where nothing fixes its folder. */
  readonly stretches: readonly string[] | undefined;
}

/** Everything in a module's text that names other files: plain data, so that it can be kept. */
export interface References {
  readonly specifiers: readonly Specifier[];
  readonly computed: readonly ComputedSpecifier[];
  /** Paths, relative to the module's folder, that it puts together from its own place. */
  readonly paths: readonly string[];
}

export function referencesIn(text: string, kind: "esm" | "cjs"): References {
  const ast = parse(text, kind);
  const nodes: Node[] = [ast];
  const requires = new Set(kind === "cjs" ? ["require"] : []);
  const places = new OwnPlaces();
  for (let i = 0; i < nodes.length; i++) {
    const node = nodes[i]!;
    if (node.type === "VariableDeclarator" && isNode(node["id"]) && isNode(node["init"])) {
      if (isCreateRequire(node["init"])) requires.add(node["id"]["name"] as string);
      else places.declare(node["id"], node["init"]);
    }
    nodes.push(...childrenOf(node));
  }
  const specifiers: Specifier[] = [];
  const computed: ComputedSpecifier[] = [];
  const paths = new Set<string>();
  for (const node of nodes) {
    const reference = referenceOf(node, requires);
    if (reference !== undefined) add(reference, specifiers, computed);
    const path = places.pathOf(node);
    if (path !== undefined) paths.add(path);
  }
  specifiers.sort((a, b) => a.start - b.start);
  return { specifiers, computed, paths: [...paths] };
}

interface Reference {
  readonly kind: ReferenceKind;
  readonly expression: Node;
  readonly statement?: Node;
}

function referenceOf(node: Node, requires: ReadonlySet<string>): Reference | undefined {
  switch (node.type) {
    case "ImportDeclaration":
    case "ExportNamedDeclaration":
    case "ExportAllDeclaration":
      return isNode(node["source"])
        ? { kind: "import-statement", expression: node["source"], statement: node }
        : undefined;
    case "ImportExpression":
      return { kind: "dynamic-import", expression: node["source"] as Node };
    case "CallExpression": {
      const callee = node["callee"] as Node;
      const [first] = node["arguments"] as readonly Node[];
      const target = isMember(callee, "resolve") ? (callee["object"] as Node) : callee;
      const isRequire = target.type === "Identifier" && requires.has(target["name"] as string);
      return first !== undefined && (isRequire || isCreateRequire(target))
        ? { kind: "require-call", expression: first }
        : undefined;
    }
    case "NewExpression": {
      const [first, second] = node["arguments"] as readonly Node[];
      const isOwn = (node["callee"] as Node)["name"] === "URL" && isOwnUrl(second);
      return isOwn && first !== undefined ? { kind: "new-url", expression: first } : undefined;
    }
    default:
      return undefined;
  }
}

function add({ kind, expression, statement }: Reference, literal: Specifier[], computed: ComputedSpecifier[]): void {
  const { start, end } = expression;
  const stretches = stretchesOf(expression);
  if (stretches?.length === 1) {
    const attributes = ((statement?.["attributes"] ?? []) as readonly Node[]).length > 0;
    literal.push({ value: stretches[0]!, kind, start, end, ...(attributes ? { attributes } : {}) });
  } else if (kind !== "import-statement") {
    const hasFolder = stretches !== undefined && /^\.{1,2}\/(.*\/)?/.test(stretches[0]!);
    computed.push({ kind, start, end, stretches: hasFolder ? stretches : undefined });
  }
}

/** The fixed parts of a literal, a template, or texts put together with `+`. */
function stretchesOf(node: Node): string[] | undefined {
  if (node.type === "Literal") return typeof node["value"] === "string" ? [node["value"]] : undefined;
  if (node.type === "TemplateLiteral") {
    const texts = (node["quasis"] as readonly Node[]).map((part) => (part["value"] as { cooked: string }).cooked);
    const inner = (node["expressions"] as readonly Node[]).map((part) => stretchesOf(part) ?? ["", ""]);
    return texts.reduce<string[]>(
      (all, text, index) => (index === 0 ? [text] : join(join(all, inner[index - 1]!), [text])),
      [],
    );
  }
  if (node.type !== "BinaryExpression" || node["operator"] !== "+") return undefined;
  const left = stretchesOf(node["left"] as Node);
  const right = stretchesOf(node["right"] as Node);
  return left === undefined ? undefined : join(left, right ?? ["", ""]);
}

function join(left: readonly string[], right: readonly string[]): string[] {
  return [...left.slice(0, -1), left.at(-1)! + right[0]!, ...right.slice(1)];
}

function isMember(node: Node, name: string): boolean {
  return node.type === "MemberExpression" && node["computed"] === false && (node["property"] as Node)["name"] === name;
}

function isCreateRequire(node: Node): boolean {
  if (node.type !== "CallExpression") return false;
  let callee = node["callee"] as Node;
  if (callee.type === "SequenceExpression") callee = (callee["expressions"] as readonly Node[]).at(-1)!;
  return isMember(callee, "createRequire") || callee["name"] === "createRequire";
}
