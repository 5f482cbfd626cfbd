import { lstat, readdir, readlink, stat } from "node:fs/promises";
import { posix } from "node:path";
import { globPattern } from "./glob.ts";

/** One thing to copy. Paths are relative to the root, with "/"; the root itself is "". */
export type Entry =
  | { readonly type: "file"; readonly path: string; readonly size: number; readonly mode: number }
  | { readonly type: "folder"; readonly path: string; readonly mode: number }
  | { readonly type: "link"; readonly path: string; readonly target: string };

/**
 * What lies at `root` and below it, folders before what is in them. Sockets, pipes and devices are left out.
 * @param excludes globs of relative paths; a folder that one matches is left out whole
 * @param under what the globs take the root for. @default "", what their paths are relative to
 */
export async function entriesOf(root: string, excludes: readonly string[] = [], under = ""): Promise<Entry[]> {
  const entries: Entry[] = [];
  const excluded = excludes.map((glob) => ({ anyDepth: !glob.includes("/"), pattern: globPattern(glob) }));
  // A glob without a slash is for names at any depth, as in .gitignore.
  const leftOut = (path: string): boolean =>
    excluded.some(({ anyDepth, pattern }) => pattern.test(path) || (anyDepth && pattern.test(posix.basename(path))));
  const add = async (path: string): Promise<void> => {
    const at = path === "" ? root : `${root}/${path}`;
    // A link given by name is what it leads to; one found below is a link.
    const info = await (path === "" ? stat(at) : lstat(at));
    const mode = info.mode & 0o777;
    if (info.isSymbolicLink()) entries.push({ type: "link", path, target: await readlink(at) });
    else if (info.isFile()) entries.push({ type: "file", path, size: info.size, mode });
    else if (info.isDirectory()) {
      entries.push({ type: "folder", path, mode });
      for (const name of (await readdir(at)).sort()) {
        const below = posix.join(path, name);
        if (name.includes("\uFFFD")) throw new Error(`a name in ${at} is not UTF-8: ${name}`);
        if (!leftOut(posix.join(under, below))) await add(below);
      }
    } else if (path === "") throw new Error("it is neither a file nor a folder");
  };
  await add("");
  return entries;
}

/** @throws Error what a list from the other side must not hold */
export function checkEntries(value: unknown): readonly Entry[] {
  if (!Array.isArray(value)) throw new Error("no list of files");
  for (const entry of value as readonly Partial<Record<string, unknown>>[]) {
    const { path, type } = entry;
    if (typeof path !== "string" || path.startsWith("/") || path.includes("\0") || path.split("/").includes(".."))
      throw new Error(`a path outside the folder: ${JSON.stringify(path)}`);
    if (type === "link" ? typeof entry["target"] !== "string" : type !== "file" && type !== "folder")
      throw new Error(`no kind of file: ${JSON.stringify(type)}`);
    if (type === "file" && !(Number.isSafeInteger(entry["size"]) && (entry["size"] as number) >= 0))
      throw new Error(`no size: ${JSON.stringify(entry["size"])}`);
  }
  return value as readonly Entry[];
}
