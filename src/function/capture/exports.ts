import { createRequire } from "node:module";
import { types } from "node:util";
import type { Node } from "./parser.ts";

const { cache } = createRequire(import.meta.url);

/** The name under which an ECMAScript module exports a declaration of its own. */
export function exportedName(program: Node, local: string): string | undefined {
  for (const statement of program["body"] as readonly Node[]) {
    const declaration = statement["declaration"] as Node | null | undefined;
    if (statement.type === "ExportDefaultDeclaration") {
      if ((declaration?.["id"] as Node | null)?.["name"] === local || declaration?.["name"] === local) return "default";
    } else if (statement.type === "ExportNamedDeclaration" && !statement["source"]) {
      if (declaration && declares(declaration, local)) return local;
      for (const specifier of statement["specifiers"] as readonly Node[]) {
        const exported = specifier["exported"] as Node;
        if ((specifier["local"] as Node)["name"] === local) return (exported["name"] ?? exported["value"]) as string;
      }
    }
  }
  return undefined;
}

/** The variable that an ECMAScript module exports under a name; the name itself where it declares none. */
export function localName(program: Node, exported: string): string {
  for (const statement of program["body"] as readonly Node[]) {
    const declaration = statement["declaration"] as Node | null | undefined;
    if (statement.type === "ExportDefaultDeclaration" && exported === "default")
      return ((declaration?.["id"] as Node | null)?.["name"] ?? declaration?.["name"] ?? exported) as string;
    if (statement.type !== "ExportNamedDeclaration" || statement["source"]) continue;
    for (const specifier of statement["specifiers"] as readonly Node[]) {
      const name = specifier["exported"] as Node;
      if ((name["name"] ?? name["value"]) === exported) return (specifier["local"] as Node)["name"] as string;
    }
  }
  return exported;
}

/** The name under which a CommonJS module that is loaded gives a value. */
export function requiredName(file: string, value: unknown): string | undefined {
  const exports = loadedExports(file);
  // A value that require() gives whole has no name to import it by.
  if (exports === undefined || exports === value) return undefined;
  return Object.keys(exports).find((key) => exports[key] === value);
}

/** What a CommonJS module that is loaded gives. */
export function loadedExports(file: string): Readonly<Record<string, unknown>> | undefined {
  const exports: unknown = cache?.[file]?.exports;
  const isObject = (typeof exports === "object" && exports !== null) || typeof exports === "function";
  return isObject && !types.isProxy(exports) ? (exports as Record<string, unknown>) : undefined;
}

function declares(declaration: Node, local: string): boolean {
  if (declaration.type !== "VariableDeclaration") return (declaration["id"] as Node | null)?.["name"] === local;
  return (declaration["declarations"] as readonly Node[]).some((item) => (item["id"] as Node)["name"] === local);
}
