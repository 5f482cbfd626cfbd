import { readdirSync, statSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { globPattern } from "../../wire/files/glob.ts";

const SKIPPED = /^(\.|node_modules$)/;

/** Every file below a folder, without hidden ones and packages; undefined when there are more than `most`. */
export function filesBelow(folder: string, most = 1000): string[] | undefined {
  const found: string[] = [];
  const open = [folder];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    for (const item of readdirSync(at, { withFileTypes: true })) {
      if (SKIPPED.test(item.name)) continue;
      if (item.isDirectory()) open.push(join(at, item.name));
      else if (item.isFile() && found.push(join(at, item.name)) > most) return undefined;
    }
  }
  return found.sort();
}

export function kindOfPath(path: string): "file" | "folder" | undefined {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats?.isFile()) return "file";
  return stats?.isDirectory() ? "folder" : undefined;
}

/** The files that a glob means, relative to `folder`: `*` and `?` within a name, `**` across folders, `{a,b}`. */
export function glob(pattern: string, folder: string): string[] {
  const plain = pattern.replace(/^\.\//, "");
  const fixed = plain.split("/").findIndex((part) => /[*?{[]/.test(part));
  if (fixed < 0) {
    const path = join(folder, plain);
    const kind = kindOfPath(path);
    return kind === "file" ? [path] : kind === "folder" ? (filesBelow(path) ?? []) : [];
  }
  const parts = plain.split("/");
  const base = join(folder, ...parts.slice(0, fixed));
  if (kindOfPath(base) !== "folder") return [];
  const matches = globPattern(parts.slice(fixed).join("/"));
  return (filesBelow(base, 20_000) ?? []).filter((file) => matches.test(relative(base, file).split(sep).join("/")));
}

/**
 * The files that a specifier with gaps can mean. A gap that fills a whole part of the path reaches into folders, any
 * other stays within a name.
 */
export function filesMatching(
  stretches: readonly string[],
  folder: string,
  emittedName: (file: string) => string,
): string[] {
  const head = stretches[0]!;
  const base = join(folder, head.slice(0, head.lastIndexOf("/") + 1));
  if (kindOfPath(base) !== "folder") return [];
  const escaped = stretches.map((text) => text.replaceAll(/[\\^$.|+()[\]{}*?]/g, "\\$&"));
  const start = escaped[0]!.slice(escaped[0]!.lastIndexOf("/") + 1);
  let pattern = start;
  for (const [index, text] of escaped.slice(1).entries()) {
    const before = index === 0 ? (start === "" ? "/" : start) : stretches[index]!;
    pattern += `${before.endsWith("/") ? ".*" : "[^/]*"}${text}`;
  }
  const matches = new RegExp(`^${pattern}(?:\\.[cm]?[jt]sx?|/index\\.[cm]?[jt]sx?)?$`);
  return (filesBelow(base, 20_000) ?? []).filter((file) => {
    const name = relative(base, file).split(sep).join("/");
    return !/\.d\.[cm]?ts$/.test(name) && (matches.test(name) || matches.test(emittedName(name)));
  });
}
