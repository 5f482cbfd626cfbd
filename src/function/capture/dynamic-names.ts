import { childrenOf, type Node } from "./parser.ts";

/** Code whose names can't be told from its text. */
export interface DynamicNames {
  readonly word: "eval" | "with";
  readonly start: number;
}

/** Direct calls of `eval`, and `with` blocks, in the order of the text. `(0, eval)("...")` sees globals alone and is none. */
export function dynamicNamesIn(ast: Node, source: string): readonly DynamicNames[] {
  if (!/\b(?:eval|with)\s*\(/.test(source)) return [];
  const found: DynamicNames[] = [];
  const open: Node[] = [ast];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (node.type === "WithStatement") found.push({ word: "with", start: node.start });
    else if (node.type === "CallExpression" && node["optional"] !== true) {
      const callee = node["callee"] as Node;
      if (callee.type === "Identifier" && callee["name"] === "eval") found.push({ word: "eval", start: node.start });
    }
    open.push(...childrenOf(node));
  }
  return found.sort((a, b) => a.start - b.start);
}
