import { posix } from "node:path";
import type { Node } from "../capture/parser.ts";

/**
 * Paths that a module puts together from its own place: `join(__dirname, "data.txt")`, also by way of constants. All
 * are relative to the module's folder.
 */
export class OwnPlaces {
  readonly #constants = new Map<string, string>();
  /** Constants that hold the module's own file. */
  readonly #files = new Set<string>();

  declare(id: Node, initialiser: Node): void {
    if (id.type === "Identifier" && isOwnFile(initialiser)) this.#files.add(id["name"] as string);
    const path = id.type === "Identifier" ? this.#read(initialiser) : undefined;
    if (path !== undefined) this.#constants.set(id["name"] as string, path);
  }

  /** The path that the expression names, if it leads down from the module's folder or to a file beside it. */
  pathOf(node: Node): string | undefined {
    if (!/^(Call|Binary|TemplateLiteral)/.test(node.type)) return undefined;
    const path = this.#read(node);
    return path === undefined || /^(\.\.\/?)*\.?$/.test(path) ? undefined : path;
  }

  #read(node: Node): string | undefined {
    switch (node.type) {
      case "Identifier":
        return node["name"] === "__dirname" ? "." : this.#constants.get(node["name"] as string);
      case "MemberExpression":
        return isOfMeta(node, /^dirname$/) ? "." : undefined;
      case "CallExpression":
        return this.#call(node);
      case "BinaryExpression":
        return this.#appended(node["left"] as Node, node["right"] as Node);
      case "TemplateLiteral": {
        const [first, second] = node["quasis"] as readonly Node[];
        const [inner, more] = node["expressions"] as readonly Node[];
        if (inner === undefined || more !== undefined || textOf(first) !== "") return undefined;
        return this.#add(this.#read(inner), textOf(second));
      }
      default:
        return undefined;
    }
  }

  #call(node: Node): string | undefined {
    const name = calleeName(node["callee"] as Node);
    const [first, ...rest] = node["arguments"] as readonly Node[];
    if (first === undefined) return undefined;
    const isFile = isOwnFile(first) || (first.type === "Identifier" && this.#files.has(first["name"] as string));
    if (name === "dirname") return isFile ? "." : this.#parent(this.#read(first));
    if (name === "fileURLToPath") return ownUrlPath(first);
    if (name !== "join" && name !== "resolve") return undefined;
    let path = this.#read(first);
    for (const part of rest) {
      if (path === undefined) return undefined;
      const text = textOf(part);
      if (text === undefined) return path; // a file in that folder, which one is not known
      path = this.#add(path, `/${text}`);
    }
    return path;
  }

  #appended(left: Node, right: Node): string | undefined {
    return this.#add(this.#read(left), textOf(right));
  }

  #add(path: string | undefined, text: string | undefined): string | undefined {
    return path === undefined || text === undefined ? undefined : posix.normalize(path + text);
  }

  #parent(path: string | undefined): string | undefined {
    return path === undefined ? undefined : posix.normalize(`${path}/..`);
  }
}

/** Of `new URL("./data", import.meta.url)`, the path. */
function ownUrlPath(node: Node): string | undefined {
  if (node.type !== "NewExpression" || calleeName(node["callee"] as Node) !== "URL") return undefined;
  const [path, base] = node["arguments"] as readonly Node[];
  const text = isOwnUrl(base) ? textOf(path) : undefined;
  return text === undefined || !text.startsWith(".") ? undefined : posix.normalize(text);
}

/** What `import.meta.url` is called in modules that are emitted as CommonJS. */
export const OWN_URL = "sky_import_meta_url";

/** `import.meta.url`, in every form that compilers give it. */
export function isOwnUrl(node: Node | undefined): boolean {
  return node !== undefined && (isOfMeta(node, /^url$/) || (node.type === "Identifier" && node["name"] === OWN_URL));
}

function isOfMeta(node: Node, property: RegExp): boolean {
  if (node.type !== "MemberExpression" || node["computed"] === true) return false;
  const object = node["object"] as Node;
  const isMeta = object.type === "MetaProperty" || String(object["name"]).startsWith("define_import_meta");
  return isMeta && property.test((node["property"] as Node)["name"] as string);
}

/** `__filename`, `import.meta.filename`, `fileURLToPath(import.meta.url)` */
function isOwnFile(node: Node): boolean {
  if (node.type === "Identifier" && node["name"] === "__filename") return true;
  if (isOwnUrl(node) || isOfMeta(node, /^filename$/)) return true;
  if (node.type !== "CallExpression" || calleeName(node["callee"] as Node) !== "fileURLToPath") return false;
  const [first] = node["arguments"] as readonly Node[];
  return first !== undefined && isOwnFile(first);
}

function calleeName(callee: Node): string | undefined {
  if (callee.type === "Identifier") return callee["name"] as string;
  if (callee.type === "MemberExpression") return (callee["property"] as Node)["name"] as string;
  if (callee.type === "SequenceExpression") return calleeName((callee["expressions"] as readonly Node[]).at(-1)!);
  return undefined;
}

function textOf(node: Node | undefined): string | undefined {
  const value = node?.["value"];
  if (typeof value === "string") return value;
  return typeof value === "object" && value !== null ? (value as { cooked?: string }).cooked : undefined;
}
