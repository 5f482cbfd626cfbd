import type { Node } from "../capture/parser.ts";
import { findPackage, isPackageFile, type Layout, packageNameOf, packageRoot, relativeSpecifier } from "./layout.ts";
import { OWN_NAME } from "./own-package.ts";
import { type Specifier, specifiersIn } from "./specifiers.ts";
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
export function rewriteSpecifiers(text: string, kind: "esm" | "cjs", rewriting: Rewriting): string {
  let out = "";
  let at = 0;
  for (const specifier of specifiersIn(text, kind)) {
    const traced = tracedAs(specifier, rewriting.imports);
    const value = traced === undefined ? undefined : emittedSpecifier(traced, rewriting);
    if (value !== undefined && value !== specifier.value) {
      out += text.slice(at, specifier.start) + JSON.stringify(value);
      at = specifier.end;
    }
    if (needsJsonAttribute(specifier, traced?.target)) {
      out += `${text.slice(at, specifier.end)} with { type: "json" }`;
      at = specifier.end;
    }
  }
  return out + text.slice(at);
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
  const name = packageNameOf(specifier);
  if (name === undefined || findPackage(name, file)?.real === packageRoot(target)) return undefined;
  return relativeSpecifier(place, layout.place(target)); // an alias of the user's compiler, which Node doesn't know
}

/** tsx takes JSON without the attribute that Node asks for. */
function needsJsonAttribute(specifier: Specifier, target: string | undefined): boolean {
  if (specifier.kind !== "import-statement" || target === undefined || !target.endsWith(".json")) return false;
  return ((specifier.statement?.["attributes"] ?? []) as readonly Node[]).length === 0;
}
