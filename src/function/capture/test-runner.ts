import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import type { LoadedModule } from "./loaded-module.ts";
import { isNode, type Node } from "./parser.ts";
import type { Replacement } from "./slot.ts";

/** What stands in the emitted module for what vitest hands to a module. */
export const RUNNER_NAMES: Readonly<Record<string, string>> = {
  __vite_ssr_import_meta__: "import.meta",
  __vite_ssr_dynamic_import__: "import",
  __dirname: "import.meta.dirname",
  __filename: "import.meta.filename",
};

/**
 * What compilers put around `require` in CommonJS: some keep caches of what this process loaded, and of some the engine
 * keeps no value.
 */
export function interopHelper(name: string): string | undefined {
  if (/^(_interopRequireDefault|__importDefault)\d*$/.test(name))
    return "(all) => (all && all.__esModule ? all : { default: all })";
  if (/^(_interopRequireWildcard|__importStar)\d*$/.test(name))
    return '(all) => (all && all.__esModule ? all : { ...(typeof all === "object" || typeof all === "function" ? all : {}), default: all })';
  return undefined;
}

/** The specifier in `await __vite_ssr_import__("/src/lib.ts", ...)`. */
export function runnerImport(initialiser: Node): string | undefined {
  if (initialiser.type !== "AwaitExpression") return undefined;
  const call = initialiser["argument"] as Node;
  if (call.type !== "CallExpression" || (call["callee"] as Node)["name"] !== "__vite_ssr_import__") return undefined;
  const specifier = (call["arguments"] as readonly Node[])[0]?.["value"];
  return typeof specifier === "string" ? specifier : undefined;
}

/** What stands for a module that only vitest can load: its helper for import() with a template. */
export function runnerModule(specifier: string): string | undefined {
  if (!specifier.endsWith("vite/dynamic-import-helper.js")) return undefined;
  const unknown = "Promise.reject(new Error(`Unknown variable dynamic import: ${path}`))";
  return `({ default: (files, path) => Object.hasOwn(files, path) ? files[path]() : ${unknown} })`;
}

/** What a module imports that vitest runs: each variable, and the specifier behind it. */
export function runnerImports(wrapper: Node): { readonly variable: string; readonly specifier: string }[] {
  const body = wrapper["body"] as Node;
  const all = (body["body"] as readonly Node[]).flatMap((node) =>
    node.type === "BlockStatement" ? (node["body"] as readonly Node[]) : [node],
  );
  return all
    .filter((node) => node.type === "VariableDeclaration")
    .flatMap((node) => node["declarations"] as readonly Node[])
    .flatMap(({ id, init }) => {
      const specifier = isNode(init) ? runnerImport(init) : undefined;
      return specifier === undefined ? [] : [{ variable: (id as Node)["name"] as string, specifier }];
    });
}

/** The file or package that vitest means by a specifier: it counts paths from its own root. */
export function runnerSpecifier(specifier: string, file: string): string {
  if (specifier.startsWith("/@fs/")) return specifier.slice("/@fs".length);
  if (!specifier.startsWith("/") || existsSync(specifier)) return specifier;
  for (let folder = dirname(file); folder !== dirname(folder); folder = dirname(folder)) {
    if (existsSync(join(folder, specifier))) return join(folder, specifier);
  }
  return specifier;
}

/** `__vite_ssr_dynamic_import__("/src/lib.ts")`, when `node` is its callee: the file's own path in place of vitest's. */
export function runnerReplacement(callee: Node, module: LoadedModule): Replacement | undefined {
  const call = module.top.around(callee).at(-1);
  const [first] = (call?.["arguments"] ?? []) as readonly unknown[];
  if (call?.["callee"] !== callee || !isNode(first) || typeof first["value"] !== "string") return undefined;
  const found = runnerSpecifier(first["value"], module.file);
  return { start: first.start, end: first.end, text: JSON.stringify(found) };
}
