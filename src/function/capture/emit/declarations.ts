import { serialize } from "node:v8";
import type { Slot } from "../slot.ts";
import type { Graph } from "../graph.ts";
import { write } from "./entry.ts";
import { type EmittedModule, moduleName } from "./module.ts";

/**
 * Writes a module that exports declarations of a module that is never imported on a node, with the values that they see
 * now, in the text. The modules that it shares with functions come first.
 */
export function emitDeclarations(
  graph: Graph,
  home: { readonly file: string; readonly kind: "esm" | "cjs" },
  exported: ReadonlyMap<string, Slot | undefined>,
  values: (fillings: readonly object[]) => object | undefined,
): readonly EmittedModule[] {
  const { text, modules } = write(graph, home, (out, { kind }, nameOf, body) => {
    const fillings = [...graph.values.fillings.keys()];
    out.add(`const $all = ((values) => {\n`);
    body();
    const list = [...exported].map(
      ([name, slot]) => `${JSON.stringify(name)}: ${slot === undefined ? "undefined" : nameOf(slot)}`,
    );
    out.add(`  return { ${list.join(", ")} };\n})(${literal(values(fillings), kind)});\n`);
    for (const [index, name] of [...exported.keys()].entries()) {
      const value = `$all[${JSON.stringify(name)}]`;
      if (kind === "cjs") out.add(`exports[${JSON.stringify(name)}] = ${value};\n`);
      else out.add(`const $export${index} = ${value};\nexport { $export${index} as ${JSON.stringify(name)} };\n`);
    }
  });
  return [...modules, { ...home, name: moduleName(home.file, home.kind, text.toString()), text }];
}

/** An expression for plain data. */
function literal(values: object | undefined, kind: "esm" | "cjs"): string {
  if (values === undefined) return "undefined";
  const v8 = kind === "cjs" ? 'require("node:v8")' : 'process.getBuiltinModule("node:v8")';
  return `${v8}.deserialize(Buffer.from("${serialize(values).toString("base64")}", "base64"))`;
}
