import { createHash } from "node:crypto";
import { dirname, isAbsolute, join, resolve } from "node:path";
import type { Node } from "../capture/parser.ts";
import { parse } from "../capture/parser.ts";
import { contentOf } from "../cache/contents.ts";

/** The tsconfig.json that holds for a folder, with all that it extends. */
export interface CompilerOptions {
  /** Of the contents, and of which files are not there. */
  readonly digest: string;
  /** Every file that was looked for. */
  readonly files: readonly string[];
  /** Those that are there. */
  readonly present: readonly string[];
  /** Where a bare specifier may lead by `paths` and `baseUrl`. */
  candidates(specifier: string): readonly string[];
}

interface Config {
  readonly extends?: string | readonly string[];
  readonly compilerOptions?: {
    readonly baseUrl?: string;
    readonly paths?: Readonly<Record<string, readonly string[]>>;
  };
}

/** Finds a folder's options as esbuild does: the nearest tsconfig.json or jsconfig.json, and what it extends. */
export function compilerOptionsOf(folder: string): CompilerOptions {
  const files = new Set<string>();
  const rules: ((specifier: string) => readonly string[])[] = [];
  for (let at = folder; ; at = dirname(at)) {
    const [typed, plain] = [join(at, "tsconfig.json"), join(at, "jsconfig.json")];
    if (follow(typed, files, rules) || follow(plain, files, rules) || dirname(at) === at) break;
  }
  const hash = createHash("sha256");
  for (const file of files) hash.update(`${file}\0${contentOf(file)?.hash ?? ""}\n`);
  return {
    digest: hash.digest("hex"),
    files: [...files],
    present: [...files].filter((file) => contentOf(file) !== undefined),
    candidates: (specifier) => rules.flatMap((rule) => rule(specifier)),
  };
}

/** Whether the file is there. */
function follow(file: string, files: Set<string>, rules: ((specifier: string) => readonly string[])[]): boolean {
  if (files.has(file)) return false;
  files.add(file);
  const content = contentOf(file);
  if (content === undefined) return false;
  const config = readConfig(content.bytes.toString());
  rules.push(ruleOf(config, dirname(file)));
  const parents = config.extends ?? [];
  for (const parent of typeof parents === "string" ? [parents] : parents)
    for (const candidate of parentsOf(parent, dirname(file))) {
      if (candidate.endsWith("/package.json")) files.add(candidate);
      else if (follow(candidate, files, rules)) break;
    }
  return true;
}

/** The files that `extends` may mean. */
function parentsOf(parent: string, folder: string): string[] {
  const endings = ["", ".json", "/tsconfig.json"];
  if (/^\.{0,2}\//.test(parent) || isAbsolute(parent)) return endings.map((ending) => resolve(folder, parent) + ending);
  const found: string[] = [];
  for (let at = folder; ; at = dirname(at)) {
    found.push(...["/package.json", ...endings].map((ending) => join(at, "node_modules", parent) + ending));
    if (dirname(at) === at) return found;
  }
}

function ruleOf({ compilerOptions }: Config, folder: string): (specifier: string) => readonly string[] {
  const { baseUrl, paths } = compilerOptions ?? {};
  const base = typeof baseUrl === "string" ? resolve(folder, baseUrl) : folder;
  return (specifier) => {
    const found = typeof baseUrl === "string" ? [join(base, specifier)] : [];
    for (const [pattern, targets] of Object.entries(paths ?? {})) {
      const [head = "", tail] = pattern.split("*", 2);
      const fits =
        tail === undefined
          ? specifier === head
          : specifier.length >= head.length + tail.length && specifier.startsWith(head) && specifier.endsWith(tail);
      if (!fits || !Array.isArray(targets)) continue;
      const star = tail === undefined ? "" : specifier.slice(head.length, specifier.length - tail.length);
      for (const target of targets) found.push(resolve(base, String(target).replace("*", star)));
    }
    return found;
  };
}

/** JSON with comments and trailing commas, which a JavaScript parser reads as an expression. */
function readConfig(text: string): Config {
  try {
    const [statement] = parse(`(${text.replace(/^\uFEFF/, "")}\n)`, "cjs")["body"] as readonly Node[];
    const value = valueOf(statement!["expression"] as Node);
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {}; // esbuild, which reads it too, says what is wrong
  }
}

function valueOf(node: Node): unknown {
  if (node.type === "Literal") return node["value"];
  if (node.type === "ArrayExpression") return (node["elements"] as readonly Node[]).map(valueOf);
  if (node.type !== "ObjectExpression") return undefined;
  return Object.fromEntries(
    (node["properties"] as readonly Node[]).map((property) => {
      const key = property["key"] as Node;
      return [key["name"] ?? key["value"], valueOf(property["value"] as Node)];
    }),
  );
}
