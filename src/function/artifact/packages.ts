import { existsSync, readdirSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import type { ArtifactLink } from "./artifact.ts";
import { findPackage, isPackageFile, type Layout, packageNameOf, packageRoot } from "./layout.ts";
import type { TracedImport } from "./trace.ts";

const OWN_PLACE =
  /\b__dirname\b|\b__filename\b|\bimport\.meta\.(?:url|dirname|filename|resolve)\b|\brequire\.resolve\b/;
const LEFT_OUT = /^(?:tests?|__tests__|docs?|examples?|benchmarks?|coverage|\.git|\.github|node_modules)$/;
const NOT_SENT = /\.(?:map|md|markdown|tsbuildinfo)$|^(?!lib\.).*\.d\.[cm]?ts$/i;

/** Whether the package must travel whole: one of the files that are reached looks for others beside itself. */
export function looksAtItsPlace(content: Buffer): boolean {
  return OWN_PLACE.test(content.toString("latin1"));
}

/** Every file of a package but tests, documents and maps. */
export function wholePackage(root: string): string[] {
  const found: string[] = [];
  const open = [root];
  for (let folder = open.pop(); folder !== undefined; folder = open.pop()) {
    for (const item of readdirSync(folder, { withFileTypes: true })) {
      if (item.isDirectory() && !LEFT_OUT.test(item.name)) open.push(join(folder, item.name));
      else if (item.isFile() && !NOT_SENT.test(item.name)) found.push(join(folder, item.name));
    }
  }
  return found.sort();
}

/** Every package.json from a file up to the root of its package, or of the user's project. */
export function manifestsOf(file: string, layout: Layout): readonly string[] {
  return manifestsFrom(dirname(file), isPackageFile(file) ? packageRoot(file) : layout.root);
}

const manifests = new Map<string, readonly string[]>();

function manifestsFrom(folder: string, last: string): readonly string[] {
  const key = `${folder}\0${last}`;
  let found = manifests.get(key);
  if (found === undefined) {
    const manifest = join(folder, "package.json");
    const above = folder === last || dirname(folder) === folder ? [] : manifestsFrom(dirname(folder), last);
    found = existsSync(manifest) ? [manifest, ...above] : above;
    manifests.set(key, found);
  }
  return found;
}

/** The symlinks that a file's bare imports go through. */
export function linksOf(file: string, imports: readonly TracedImport[], layout: Layout): ArtifactLink[] {
  return imports.flatMap(({ specifier, target }) => {
    const name = packageNameOf(specifier);
    if (name === undefined || target === undefined || (!isPackageFile(target) && !isPackageFile(file))) return [];
    const found = findPackage(name, file);
    return found === undefined || found.written === found.real ? [] : [linkTo(found.written, found.real, layout)];
  });
}

function linkTo(written: string, real: string, layout: Layout): ArtifactLink {
  const path = layout.place(written);
  return { path, target: posix.relative(posix.dirname(path), layout.place(real)) };
}
