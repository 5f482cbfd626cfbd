import { isNode, type Node } from "./parser.ts";

/** A function that the program's loader puts around the text of a module. */
export interface Wrapper {
  readonly node: Node;
  /** What the module is to the user. */
  readonly kind: "esm" | "cjs";
}

/** vitest runs modules as `async (__vite_ssr_exports__, ...) => {{ ... }}`, Jest as `({ "Object.<anonymous>": function (module, ...) {...} })`. */
export function wrapperIn(program: Node): Wrapper | undefined {
  const last = (program["body"] as readonly Node[]).at(-1);
  if (last?.type !== "ExpressionStatement") return undefined;
  const expression = last["expression"] as Node;
  if (expression.type === "ArrowFunctionExpression") {
    const [first] = expression["params"] as readonly Node[];
    return String(first?.["name"]).startsWith("__vite_ssr_") ? { node: expression, kind: "esm" } : undefined;
  }
  if (expression.type !== "ObjectExpression") return undefined;
  const [property] = expression["properties"] as readonly Node[];
  const value = property?.["value"];
  const isJest = isNode(property?.["key"]) && property["key"]["value"] === "Object.<anonymous>";
  return isJest && isNode(value) ? { node: value, kind: "cjs" } : undefined;
}
