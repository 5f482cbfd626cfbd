import { childrenOf, isNode, type Node } from "./parser.ts";

/** How a name is used at one place. */
export interface UseFact {
  /**
   * The fixed paths that are only read: `[["model", "lr"]]` for `config.model.lr`, and one for each name of
   * `const { lr, size } = config`. An empty path means that the value itself is used.
   */
  readonly paths: readonly (readonly string[])[];
  /** `{ a }`: a property and its value in one. */
  readonly shorthand: boolean;
  /** Stands where a property in its place would become a method call: `a()`, a tag. */
  readonly called: boolean;
}

const ITSELF: readonly (readonly string[])[] = [[]];
const PLAIN: UseFact = { paths: ITSELF, shorthand: false, called: false };

/** What is special about the names in a stretch of syntax, by where each starts. */
export class Facts {
  readonly #byStart = new Map<number, UseFact>();

  constructor(node: Node) {
    this.#visit(node, [], undefined);
  }

  at(start: number): UseFact {
    return this.#byStart.get(start) ?? PLAIN;
  }

  #visit(node: Node, above: readonly Node[], link: Node | undefined): void {
    if (node.type === "MemberExpression" && !(link?.type === "MemberExpression" && link["object"] === node))
      this.#chain(node, above);
    else if (node.type === "Identifier") this.#name(node, above);
    const inside = [...above.slice(-2), node];
    for (const child of childrenOf(node)) this.#visit(child, inside, node);
  }

  #name(node: Node, above: readonly Node[]): void {
    const parent = above.at(-1);
    if (parent === undefined) return;
    const called =
      (parent.type === "CallExpression" && parent["callee"] === node) ||
      (parent.type === "TaggedTemplateExpression" && parent["tag"] === node);
    const inProperty = parent.type === "AssignmentPattern" ? above.at(-2) : parent;
    const shorthand =
      inProperty?.type === "Property" && inProperty["shorthand"] === true && inProperty.start === node.start;
    const paths = patternPaths(parent, node);
    if (called || shorthand || paths !== undefined)
      this.#byStart.set(node.start, { paths: paths ?? ITSELF, shorthand, called });
  }

  /** `a.b["c"]`, seen from its outermost member. */
  #chain(outer: Node, above: readonly Node[]): void {
    const keys: (string | undefined)[] = [];
    let base: Node = outer;
    for (; base.type === "MemberExpression"; base = base["object"] as Node) keys.unshift(keyOf(base));
    if (base.type !== "Identifier") return;
    const unknown = keys.indexOf(undefined);
    const path = (unknown < 0 ? keys : keys.slice(0, unknown)) as string[];
    const parent = above.at(-1);
    const more = unknown < 0 && parent !== undefined ? patternPaths(parent, outer) : undefined;
    if (more !== undefined)
      this.#set(
        base,
        more.map((rest) => [...path, ...rest]),
      );
    else this.#set(base, [unknown < 0 && isTouched(outer, above) ? path.slice(0, -1) : path]);
  }

  #set(base: Node, paths: readonly (readonly string[])[]): void {
    this.#byStart.set(base.start, { paths, shorthand: false, called: false });
  }
}

/** The name of a member where the text fixes it. */
function keyOf(member: Node): string | undefined {
  const property = member["property"] as Node;
  if (member["computed"] === true) return typeof property["value"] === "string" ? property["value"] : undefined;
  return property.type === "Identifier" ? (property["name"] as string) : undefined;
}

/** Whether what stands here is not only read: called, which hands on what is before the dot, or written. */
function isTouched(node: Node, above: readonly Node[]): boolean {
  let parent = above.at(-1);
  let below = node;
  let over = above.at(-2);
  if (parent?.type === "ChainExpression") {
    below = parent;
    parent = over;
    over = undefined;
  }
  switch (parent?.type) {
    case "CallExpression":
      return parent["callee"] === below;
    case "TaggedTemplateExpression":
      return parent["tag"] === below;
    case "AssignmentExpression":
    case "AssignmentPattern":
    case "ForInStatement":
    case "ForOfStatement":
      return parent["left"] === below;
    case "UpdateExpression":
    case "ArrayPattern":
    case "RestElement":
      return true;
    case "UnaryExpression":
      return parent["operator"] === "delete";
    case "Property":
      return over === undefined || over.type === "ObjectPattern";
    default:
      return false;
  }
}

/** The paths that `const { a, b: { c } } = node` reads, where `parent` is that declaration. */
function patternPaths(parent: Node, node: Node): string[][] | undefined {
  if (parent.type !== "VariableDeclarator" || parent["init"] !== node) return undefined;
  const id = parent["id"] as Node;
  return id.type === "ObjectPattern" ? pathsIn(id) : undefined;
}

function pathsIn(pattern: Node): string[][] | undefined {
  const found: string[][] = [];
  for (const property of pattern["properties"] as readonly Node[]) {
    if (property.type !== "Property") return undefined;
    const key = property["key"] as Node;
    const name = property["computed"] === true || key.type !== "Identifier" ? key["value"] : (key["name"] as string);
    if (typeof name !== "string") return undefined;
    const value = property["value"] as Node;
    const inner = isNode(value) && value.type === "ObjectPattern" ? pathsIn(value) : [[]];
    if (inner === undefined) return undefined;
    found.push(...(inner.length === 0 ? [[]] : inner).map((rest) => [name, ...rest]));
  }
  return found.length === 0 ? undefined : found;
}
