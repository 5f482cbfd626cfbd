import type { Variable } from "eslint-scope";
import { type ImportedFrom, importedBy, NAMESPACE } from "./imports.ts";
import type { LoadedModule } from "./loaded-module.ts";
import { childrenOf, isNode, type Node } from "./parser.ts";
import { runnerImport } from "./test-runner.ts";

/** How a captured name was declared at home. */
export type Declared =
  | ({ readonly kind: "import" } & ImportedFrom)
  | {
      readonly kind: "require";
      readonly node: Node;
      readonly pattern: string | undefined;
      /** Undefined where it is no literal of its own. */
      readonly specifier: string | undefined;
    }
  | { readonly kind: "other"; readonly constant: boolean; readonly initialiser: Node | undefined };

export function declarationOf(variable: Variable, module: LoadedModule): Declared {
  const [definition, ...more] = variable.defs;
  if (definition === undefined) return { kind: "other", constant: false, initialiser: undefined };
  const node = definition.node as unknown as Node;
  const parent = (definition as { parent?: unknown }).parent as Node | undefined | null;
  const type = definition.type as string;
  const rewritten = variable.references.some(
    (reference) => reference.isWrite() && !(reference as { init?: boolean }).init,
  );
  const constant = !rewritten && more.length === 0;
  if (type === "ImportBinding" && isNode(parent)) return { kind: "import", ...importedBy(node, parent, module.source) };
  if (type === "Variable") {
    const initialiser = isNode(node["init"]) ? node["init"] : undefined;
    if (constant && initialiser !== undefined && isNode(node["id"])) {
      const required = requireOf(node["id"], initialiser, module);
      if (required !== undefined) return required;
      const specifier = runnerImport(initialiser);
      if (specifier !== undefined) return { kind: "import", specifier, imported: NAMESPACE, attributes: "" };
    }
    const simple = isNode(node["id"]) && node["id"].type === "Identifier";
    return { kind: "other", constant, initialiser: simple ? initialiser : undefined };
  }
  return { kind: "other", constant, initialiser: type === "ClassName" || type === "FunctionName" ? node : undefined };
}

/** `const a = require("x")`, `const { b } = require("x")`, `var c = __toESM(require("x"))`: an import in all but name. */
function requireOf(id: Node, initialiser: Node, module: LoadedModule): Declared | undefined {
  if (!isRequire(initialiser)) return undefined;
  if (id.type !== "Identifier" && !isPlainPattern(id)) return undefined;
  const pattern = id.type === "Identifier" ? undefined : module.source.slice(id.start, id.end);
  return { kind: "require", node: initialiser, pattern, specifier: requiredIn(initialiser) };
}

/** The specifiers of `const a = require("x")` at the top of a CommonJS module, in every form that compilers give it. */
export function requiredSpecifiers(program: Node): string[] {
  return (program["body"] as readonly Node[])
    .flatMap(statementsIn)
    .filter((node) => node.type === "VariableDeclaration")
    .flatMap((statement) => statement["declarations"] as readonly Node[])
    .flatMap(({ init }) => (isNode(init) && isRequire(init) ? (requiredIn(init) ?? []) : []));
}

/** The statement, or those of a function that it calls where it stands, as tsx puts one around a module. */
function statementsIn(statement: Node): readonly Node[] {
  const call = statement["expression"] as Node | undefined;
  const body = call?.type === "CallExpression" ? ((call["callee"] as Node)["body"] as Node | undefined) : undefined;
  return body?.type === "BlockStatement" ? (body["body"] as readonly Node[]) : [statement];
}

/** The literal of `require("x")`, `__toESM(require("x"))`, `require("x").y`. */
function requiredIn(node: Node): string | undefined {
  if (node.type === "MemberExpression") return requiredIn(node["object"] as Node);
  const [first] = (node["arguments"] ?? []) as readonly Node[];
  if (first === undefined) return undefined;
  return typeof first["value"] === "string" ? first["value"] : requiredIn(first);
}

function isPlainPattern(id: Node): boolean {
  if (id.type !== "ObjectPattern") return false;
  return (id["properties"] as readonly Node[]).every(
    (property) =>
      property.type === "Property" &&
      property["computed"] === false &&
      (property["value"] as Node).type === "Identifier",
  );
}

function isRequire(node: Node): boolean {
  if (node.type === "MemberExpression") return node["computed"] === false && isRequire(node["object"] as Node);
  if (node.type !== "CallExpression") return false;
  const callee = node["callee"] as Node;
  const args = node["arguments"] as readonly Node[];
  if (isCreateRequire(callee)) return args.length === 1 && isOwnPlace(args[0]!);
  if (callee.type !== "Identifier" || args[0] === undefined) return false;
  if (callee["name"] === "require") return args.length === 1 && typeof args[0]["value"] === "string";
  // What esbuild, Babel and TypeScript put around a require: __toESM(require("x"), 1), _interopRequireDefault(...)
  return (
    /^_{1,2}(toESM|import|interop)/.test(callee["name"] as string) &&
    isRequire(args[0]) &&
    args.slice(1).every((arg) => arg.type === "Literal")
  );
}

function isCreateRequire(callee: Node): boolean {
  if (callee.type === "SequenceExpression") return isCreateRequire((callee["expressions"] as readonly Node[]).at(-1)!);
  const name =
    callee.type === "MemberExpression" && callee["computed"] === false
      ? (callee["property"] as Node)["name"]
      : callee["name"];
  return name === "createRequire";
}

/** `import.meta.url`, `import.meta.filename`, `__filename` */
function isOwnPlace(node: Node): boolean {
  if (node.type === "Identifier") return node["name"] === "__filename";
  if (node.type !== "MemberExpression") return false;
  const object = node["object"] as Node;
  return object.type === "MetaProperty" || (object.type === "Identifier" && IMPORT_META.test(object["name"] as string));
}

/** What tsx calls `import.meta` in CommonJS, and vitest everywhere. */
export const IMPORT_META = /^(define_import_meta|__vite_ssr_import_meta__$)/;

/**
 * Whether the initialiser means the same wherever it is evaluated: a function, or something of the language. The engine
 * keeps no value for what only a module's top level uses, as the helpers that compilers put there.
 */
export function isTimeless(node: Node): boolean {
  if (node.type === "MemberExpression") return node["computed"] === false && isTimeless(node["object"] as Node);
  return node.type === "Identifier" || node.type === "Literal" || /^(Arrow)?Function/.test(node.type);
}

/** Whether evaluating the expression can give `undefined`; a binding that can't, and is, has no value yet. */
export function mayBeUndefined(initialiser: Node | undefined): boolean {
  if (initialiser === undefined) return true;
  switch (initialiser.type) {
    case "Literal":
    case "TemplateLiteral":
    case "ObjectExpression":
    case "ArrayExpression":
    case "FunctionExpression":
    case "ArrowFunctionExpression":
    case "ClassExpression":
    case "ClassDeclaration":
    case "NewExpression":
    case "BinaryExpression":
    case "UpdateExpression":
    case "TaggedTemplateExpression":
      return initialiser.type === "TaggedTemplateExpression";
    case "UnaryExpression":
      return initialiser["operator"] === "void";
    default:
      return true;
  }
}

/** The first use of `this`, `super`, `arguments` or `new.target` that means the function around `node`, not `node` itself. */
export function lexicalUse(node: Node): Node | undefined {
  const pending: Node[] = node.type === "ArrowFunctionExpression" ? [...childrenOf(node)] : [];
  let found: Node | undefined;
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const lexical =
      next.type === "ThisExpression" ||
      next.type === "Super" ||
      next.type === "MetaProperty" ||
      (next.type === "Identifier" && next["name"] === "arguments");
    if (lexical && !isImportMeta(next)) {
      if (found === undefined || next.start < found.start) found = next;
      continue;
    }
    if (next.type === "FunctionExpression" || next.type === "FunctionDeclaration") continue;
    if (next.type === "ClassExpression" || next.type === "ClassDeclaration") {
      pending.push(...outsideOfMembers(next));
      continue;
    }
    for (const child of childrenOf(next)) if (!isPlainKey(next, child)) pending.push(child);
  }
  return found;
}

/** The `arguments` of `node.arguments` and `{ arguments: 1 }` is a name, not a variable. */
function isPlainKey(parent: Node, child: Node): boolean {
  if (parent["computed"] !== false) return false;
  return (
    (parent["property"] === child && parent.type === "MemberExpression") ||
    (parent["key"] === child && parent["value"] !== child)
  );
}

function isImportMeta(node: Node): boolean {
  return node.type === "MetaProperty" && (node["meta"] as Node)["name"] === "import";
}

/** What of a class is evaluated with the surrounding `this`: its heritage and computed names. */
function outsideOfMembers(node: Node): Node[] {
  const members = ((node["body"] as Node)["body"] ?? []) as readonly Node[];
  const computed = members
    .filter((member) => member["computed"] === true && isNode(member["key"]))
    .map((member) => member["key"] as Node);
  return isNode(node["superClass"]) ? [node["superClass"], ...computed] : computed;
}
