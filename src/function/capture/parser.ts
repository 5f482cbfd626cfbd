import { createRequire } from "node:module";
import type * as Acorn from "acorn";
import type * as EslintScope from "eslint-scope";

const require = createRequire(import.meta.url);

/** A syntax node, as far as we look at it: its kind, its place, and whatever fields its kind has. */
export interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [field: string]: unknown;
}

export interface Parsed {
  readonly ast: Node;
  readonly scopes: EslintScope.ScopeManager;
}

let acorn: typeof Acorn | undefined;
let eslintScope: typeof EslintScope | undefined;

/** The parsers are loaded at the first capture, not with the package: a program that only imports us doesn't pay. */
export function loadParsers(): void {
  acorn ??= require("acorn") as typeof Acorn;
  eslintScope ??= require("eslint-scope") as typeof EslintScope;
}

export function parse(source: string, kind: "esm" | "cjs"): Node {
  loadParsers();
  return acorn!.parse(source, {
    ecmaVersion: "latest",
    sourceType: kind === "esm" ? "module" : "script",
    allowReturnOutsideFunction: kind === "cjs",
    allowHashBang: true,
    ranges: true,
  }) as unknown as Node;
}

export function parseWithScopes(source: string, kind: "esm" | "cjs"): Parsed {
  const ast = parse(source, kind);
  const scopes = eslintScope!.analyze(ast as never, {
    ecmaVersion: 2024,
    // A function with a direct eval is refused itself; the names of all others mean what they say.
    ignoreEval: true,
    sourceType: kind === "esm" ? "module" : "commonjs",
  });
  return { ast, scopes };
}

/** Whether `text` can stand where an expression stands. */
export function isExpression(text: string): boolean {
  loadParsers();
  try {
    acorn!.parse(`(${text}\n)`, {
      ecmaVersion: "latest",
      sourceType: "module",
      allowSuperOutsideMethod: true,
      allowAwaitOutsideFunction: true,
    });
    return true;
  } catch {
    return false;
  }
}

/** The nodes directly below `node`, in no promised order. */
export function* childrenOf(node: Node): Iterable<Node> {
  for (const key of Object.keys(node)) {
    const value = node[key];
    if (Array.isArray(value)) {
      for (const item of value) if (isNode(item)) yield item;
    } else if (isNode(value)) {
      yield value;
    }
  }
}

export function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && typeof (value as { type?: unknown }).type === "string";
}
