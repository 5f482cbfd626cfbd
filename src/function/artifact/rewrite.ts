import { isAbsolute } from "node:path";
import { findPackage, isPackageFile, type Layout, packageNameOf, packageRoot, relativeSpecifier } from "./layout.ts";
import { OWN_NAME } from "./own-package.ts";
import type { ComputedSpecifier, References, Specifier } from "./references.ts";
import type { TracedImport } from "./trace.ts";

/** Where specifiers lead, and where that lies in the tree. */
export interface Rewriting {
  readonly layout: Layout;
  /** The file at home. */
  readonly file: string;
  /** The place in the tree of the module that is rewritten. */
  readonly place: string;
  readonly imports: readonly TracedImport[];
}

/**
 * Writes a user's module anew with the specifiers that Node needs in the tree: user files by relative path with their
 * emitted names, ourselves by name, everything else as it is. Positions on a line move; lines don't.
 */
export function rewriteSpecifiers(
  text: string,
  kind: "esm" | "cjs",
  { specifiers, computed }: References,
  rewriting: Rewriting,
): string {
  let out = "";
  let at = 0;
  for (const item of [...specifiers, ...computed].sort((a, b) => a.start - b.start)) {
    if (!("value" in item)) {
      out += text.slice(at, item.start) + emittedComputed(item, text, kind);
      at = item.end;
      continue;
    }
    const traced = tracedAs(item, rewriting.imports);
    const value = traced === undefined ? undefined : emittedSpecifier(traced, rewriting);
    if (value !== undefined && value !== item.value) {
      out += text.slice(at, item.start) + JSON.stringify(value);
      at = item.end;
    }
    if (needsJsonAttribute(item, traced?.target)) {
      out += `${text.slice(at, item.end)} with { type: "json" }`;
      at = item.end;
    }
  }
  return out + text.slice(at);
}

/** What is put together at run time is named as emitted once it is known; tsx also adds the ending that Node wants. */
function emittedComputed({ start, end, kind: of }: ComputedSpecifier, text: string, kind: "esm" | "cjs"): string {
  const expression = text.slice(start, end);
  if (of === "new-url") return expression;
  const ending = kind === "esm" && of === "dynamic-import" ? String.raw`.replace(/(\/[^./]+)$/, "$1.js")` : "";
  const named = String.raw`$.replace(/\.([cm]?)[jt]sx?$/, ".$1js")${ending}`;
  return String.raw`(($) => /^(\.{0,2}\/|file:)/.test(($ = String($))) ? ${named} : $)(${expression})`;
}

function tracedAs(specifier: Specifier, imports: readonly TracedImport[]): TracedImport | undefined {
  const same = imports.filter((item) => item.specifier === specifier.value);
  return same.find((item) => item.kind === specifier.kind) ?? same[0];
}

function emittedSpecifier(
  { specifier, target, own }: TracedImport,
  { layout, file, place }: Rewriting,
): string | undefined {
  if (own) return OWN_NAME;
  if (target === undefined) return undefined;
  if (!isPackageFile(target)) return relativeSpecifier(place, layout.emittedPlace(target));
  if (isAbsolute(specifier)) return relativeSpecifier(place, layout.place(target));
  const name = packageNameOf(specifier);
  if (name === undefined || findPackage(name, file)?.real === packageRoot(target)) return undefined;
  return relativeSpecifier(place, layout.place(target)); // an alias of the user's compiler, which Node doesn't know
}

/** tsx takes JSON without the attribute that Node asks for. */
function needsJsonAttribute(specifier: Specifier, target: string | undefined): boolean {
  if (specifier.kind !== "import-statement" || target === undefined || !target.endsWith(".json")) return false;
  return specifier.attributes !== true;
}
