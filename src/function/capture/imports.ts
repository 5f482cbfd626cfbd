import type { Node } from "./parser.ts";

/** The `*` of `import * as x`, as an imported name that no module can export. */
export const NAMESPACE = "*";

export interface ImportedFrom {
  readonly specifier: string;
  /** `default`, `*`, or the exported name. */
  readonly imported: string;
  /** ` with { type: "json" }`, or nothing. */
  readonly attributes: string;
}

/** A name that an import statement declares. */
export interface ImportedName extends ImportedFrom {
  readonly variable: string;
}

export function importsIn(program: Node, source: string): ImportedName[] {
  const statements = (program["body"] as readonly Node[]).filter((node) => node.type === "ImportDeclaration");
  return statements.flatMap((statement) =>
    (statement["specifiers"] as readonly Node[]).map((node) => ({
      ...importedBy(node, statement, source),
      variable: (node["local"] as Node)["name"] as string,
    })),
  );
}

/** What one specifier of an import statement brings. */
export function importedBy(node: Node, statement: Node, source: string): ImportedFrom {
  const specifier = (statement["source"] as Node)["value"] as string;
  const attributes = ((statement["attributes"] ?? []) as readonly Node[]).map((item) =>
    source.slice(item.start, item.end),
  );
  return {
    specifier,
    imported: importedName(node),
    attributes: attributes.length === 0 ? "" : ` with { ${attributes.join(", ")} }`,
  };
}

function importedName(node: Node): string {
  if (node.type === "ImportDefaultSpecifier") return "default";
  if (node.type === "ImportNamespaceSpecifier") return NAMESPACE;
  const imported = node["imported"] as Node;
  return (imported["name"] ?? imported["value"]) as string;
}
