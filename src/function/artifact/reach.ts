import { sep } from "node:path";
import { isPackageFile, packageRoot } from "./layout.ts";
import type { TracedFile, TracedImport } from "./trace.ts";

/** A file of an artifact, and how the function comes to need it. */
export interface Reached {
  /** The file at home. */
  readonly file: string;
  /** Its place in the tree. */
  readonly path: string;
  readonly size: number;
  /** The specifiers that lead to it, those inside of a package left out; empty where no import does. */
  readonly chain: readonly string[];
  /** Whether it looks for other files beside itself, and so made its package travel whole. */
  readonly looks: boolean;
}

export interface Reachable {
  /** What the function itself imports. */
  readonly imports: readonly TracedImport[];
  /** Every file that travels, as it is at home. */
  readonly files: Iterable<string>;
  trace(file: string): TracedFile | undefined;
  sent(file: string): { readonly path: string; readonly size: number } | undefined;
  looks(file: string): boolean;
}

/** How each file of an artifact is reached: by the shortest way. */
export function reachOf({ imports, files, trace, sent, looks }: Reachable): Reached[] {
  const chains = chainsOf(imports, trace);
  return [...files].flatMap((file) => {
    const content = sent(file);
    if (content === undefined) return [];
    const { path, size } = content;
    return [{ file, path, size, chain: chains.get(file) ?? [], looks: isPackageFile(file) && looks(file) }];
  });
}

/** The shortest of the ways that lead into a folder. */
export function wayTo(folder: string, chains: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const ways = [...chains].filter(([file]) => file.startsWith(folder + sep)).map(([, chain]) => chain);
  return ways.sort((a, b) => a.length - b.length)[0] ?? [];
}

/** The specifiers that lead to each traced file, by the shortest way. */
export function chainsOf(imports: readonly TracedImport[], trace: Reachable["trace"]): Map<string, readonly string[]> {
  const chains = new Map<string, readonly string[]>();
  const open: { readonly from: string | undefined; readonly imports: readonly TracedImport[] }[] = [
    { from: undefined, imports },
  ];
  for (let next = open.shift(); next !== undefined; next = open.shift()) {
    for (const { target, specifier } of next.imports) {
      if (target === undefined || chains.has(target)) continue;
      const before = next.from === undefined ? [] : chains.get(next.from)!;
      chains.set(target, next.from !== undefined && samePackage(next.from, target) ? before : [...before, specifier]);
      open.push({ from: target, imports: trace(target)?.imports ?? [] });
    }
  }
  return chains;
}

function samePackage(a: string, b: string): boolean {
  return isPackageFile(a) && isPackageFile(b) && packageRoot(a) === packageRoot(b);
}
