import { extname } from "node:path";
import type { Loader } from "esbuild";
import { SkyError } from "../../errors/sky-error.ts";
import { didYouMean } from "../../errors/nearest.ts";
import { contentOf } from "../cache/contents.ts";
import { type Node, parse } from "../capture/parser.ts";
import type { EntrySource } from "./artifact.ts";
import { esbuild } from "./esbuild.ts";
import { isPackageFile } from "./layout.ts";
import type { TracedFile, TracedImport } from "./trace.ts";

/**
 * Refuses a function that ships by file and export where the file has no such export. Only an ECMAScript module of the
 * user's own tells its exports without being run; of others the node finds out.
 * @throws SkyError SKY_CAPTURE_UNRESOLVED
 */
export async function checkExport(
  entry: EntrySource,
  imports: readonly TracedImport[],
  trace: (file: string) => TracedFile | undefined,
): Promise<void> {
  if (entry.wanted === undefined) return;
  const { specifier, exported } = entry.wanted;
  const file = imports.find((item) => item.specifier === specifier)?.target;
  if (file === undefined) return;
  const names = await exportsOf(file, trace, new Set());
  if (names === undefined || names.has(exported)) return;
  const list = [...names].slice(0, 20).join(", ");
  throw new SkyError(
    "SKY_CAPTURE_UNRESOLVED",
    `${entry.name} can't be sent: ${specifier} has no export ${exported}${didYouMean(exported, names)}\n    named in ${entry.file}`,
    {
      hint: names.size === 0 ? `${file} exports nothing: write export before the function.` : `It exports ${list}.`,
      details: { stage: "artifact", function: entry.name, file: entry.file, specifier, export: exported },
    },
  );
}

/** Undefined where the text does not tell them all. */
async function exportsOf(
  file: string,
  trace: (file: string) => TracedFile | undefined,
  seen: Set<string>,
): Promise<Set<string> | undefined> {
  if (seen.has(file)) return new Set();
  seen.add(file);
  const loader = LOADERS[extname(file)];
  const traced = trace(file);
  const bytes = contentOf(file)?.bytes;
  if (isPackageFile(file) || loader === undefined || bytes === undefined || traced?.format === "cjs") return undefined;
  const { transform } = await esbuild();
  const { code } = await transform(Buffer.from(bytes).toString(), { loader, logLevel: "silent" });
  const names = new Set<string>();
  const statements = parse(code, "esm")["body"] as readonly Node[];
  if (!statements.some((statement) => /^(Export|Import)/.test(statement.type))) return undefined;
  for (const statement of statements) {
    if (statement.type === "ExportAllDeclaration" && statement["exported"] === null) {
      const specifier = (statement["source"] as Node)["value"];
      const target = traced?.imports.find((item) => item.specifier === specifier)?.target;
      const more = target === undefined ? undefined : await exportsOf(target, trace, seen);
      if (more === undefined) return undefined;
      for (const name of more) if (name !== "default") names.add(name);
    } else {
      for (const name of namesOf(statement)) names.add(name);
    }
  }
  return names;
}

const LOADERS: Readonly<Record<string, Loader>> = {
  ".ts": "ts",
  ".mts": "ts",
  ".tsx": "tsx",
  ".js": "js",
  ".mjs": "js",
  ".jsx": "jsx",
};

function namesOf(statement: Node): string[] {
  if (statement.type === "ExportDefaultDeclaration") return ["default"];
  if (statement.type === "ExportAllDeclaration") return [nameOf(statement["exported"] as Node)];
  if (statement.type !== "ExportNamedDeclaration") return [];
  const declaration = statement["declaration"] as Node | null;
  const declared = declaration === null ? [] : declaredBy(declaration);
  return [...declared, ...(statement["specifiers"] as readonly Node[]).map((item) => nameOf(item["exported"] as Node))];
}

function declaredBy(declaration: Node): string[] {
  if (declaration.type !== "VariableDeclaration") return [nameOf(declaration["id"] as Node)];
  return (declaration["declarations"] as readonly Node[]).flatMap((item) => bound(item["id"] as Node));
}

/** The variables of a pattern. */
function bound(pattern: Node | null): string[] {
  switch (pattern?.type) {
    case "ObjectPattern":
      return (pattern["properties"] as readonly Node[]).flatMap((item) =>
        bound((item.type === "Property" ? item["value"] : item["argument"]) as Node),
      );
    case "ArrayPattern":
      return (pattern["elements"] as readonly (Node | null)[]).flatMap(bound);
    case "AssignmentPattern":
      return bound(pattern["left"] as Node);
    case "RestElement":
      return bound(pattern["argument"] as Node);
    default:
      return pattern === undefined || pattern === null ? [] : [nameOf(pattern)];
  }
}

function nameOf(node: Node): string {
  return (node["name"] ?? node["value"]) as string;
}
