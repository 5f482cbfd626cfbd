import type { Variable } from "eslint-scope";
import type { LiveFunction, LiveScope, LiveVariable } from "./inspector.ts";
import type { LoadedModule } from "./loaded-module.ts";
import { isNode, type Node } from "./parser.ts";

type AnyFunction = (...args: never) => unknown;

/** Where a function's variable was found: the scope that has it, and those around that. */
export interface LivePlace {
  readonly variable: LiveVariable;
  readonly scopes: readonly LiveScope[];
  readonly holder: AnyFunction;
  /** The holder's syntax. */
  readonly node: Node;
}

export function placeOf(name: string, live: LiveFunction, holder: AnyFunction, node: Node): LivePlace | undefined {
  for (const [index, scope] of live.scopes.entries()) {
    const variable = scope.variables.get(name);
    if (variable !== undefined) return { variable, scopes: live.scopes.slice(index), holder, node };
  }
  return undefined;
}

/**
 * Whether two functions mean one and the same variable, or two of the same declaration, as when a factory was called
 * twice. The engine doesn't tell, so it is concluded from what the scopes hold and how the functions were written;
 * undefined where that leaves both possible.
 */
export function isSameVariable(
  a: LivePlace,
  b: LivePlace,
  variable: Variable,
  module: LoadedModule,
  madeWith: ReadonlyMap<AnyFunction, object>,
): boolean | undefined {
  if (module.top.isScope(variable.scope) || a.holder === b.holder) return true;
  if (a.scopes.length !== b.scopes.length) return false;
  if (!a.scopes.every((scope, index) => holdsTheSame(scope, b.scopes[index]!))) return false;
  if (hasFreshConstant(variable, a.scopes[0]!, module)) return true;
  const literal = literalAround(a.node, b.node, module);
  if (literal !== undefined && runsOnceIn(literal, variable.scope.block as unknown as Node, module)) {
    // Two functions of one object literal, or of a list: in one such object they are of one evaluation.
    const [one, other] = [madeWith.get(a.holder), madeWith.get(b.holder)];
    if (one !== undefined && other !== undefined) return one === other;
  }
  if (a.node === b.node && runsOnceIn(a.node, variable.scope.block as unknown as Node, module)) return false;
  return undefined;
}

function holdsTheSame(a: LiveScope, b: LiveScope): boolean {
  if (a === b) return true;
  if (a.variables.size !== b.variables.size) return false;
  for (const [name, one] of a.variables) {
    const other = b.variables.get(name);
    if (other === undefined || "value" in one !== "value" in other) return false;
    if ("value" in one && "value" in other && !Object.is(one.value, other.value)) return false;
  }
  return true;
}

/** Whether the scope has a constant that is another object each time the scope is entered: the two are then one scope. */
function hasFreshConstant({ scope }: Variable, live: LiveScope, module: LoadedModule): boolean {
  return scope.variables.some((other) => {
    const found = live.variables.get(other.name);
    if (found === undefined || !("value" in found) || other.defs.length !== 1) return false;
    const isObject = typeof found.value === "function" || (typeof found.value === "object" && found.value !== null);
    return isObject && isFresh(other, found.value, module);
  });
}

function isFresh({ defs, references }: Variable, value: unknown, module: LoadedModule): boolean {
  const { type, node } = defs[0] as unknown as { readonly type: string; readonly node: Node };
  if (references.some((reference) => reference.isWrite() && !(reference as { init?: boolean }).init)) return false;
  if (type === "FunctionName" || type === "ClassName") return true;
  const init = node["init"];
  if (type !== "Variable" || !isNode(init) || (node["id"] as Node).type !== "Identifier") return false;
  if (init.type === "ObjectExpression" || init.type === "ArrayExpression") return true;
  // A function that its own initialiser writes down, whatever a compiler put around it.
  const text = module.source.slice(init.start, init.end);
  return typeof value === "function" && text.includes(Function.prototype.toString.call(value));
}

/** The object or array literal that both functions stand in. */
function literalAround(a: Node, b: Node, module: LoadedModule): Node | undefined {
  const literals = (node: Node): Node[] => {
    const around = module.top.around(node);
    const from = around.findLastIndex((item) => /Function|^Class/.test(item.type)) + 1;
    return around.slice(from).filter((item) => /^(Object|Array)Expression$/.test(item.type));
  };
  const mine = new Set(literals(a));
  return literals(b).findLast((item) => mine.has(item));
}

/** Whether the function is made at most once each time that the block is entered. */
function runsOnceIn(node: Node, block: Node, module: LoadedModule): boolean {
  const between = module.top.around(node).filter((item) => item.start > block.start && item.end <= block.end);
  return !between.some((item) => /Function|^(For|While|DoWhile)|^Class|^Labeled/.test(item.type));
}
