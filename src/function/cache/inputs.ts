import { createHash } from "node:crypto";
import { readdirSync, readlinkSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { contentOf, isUnchangedSince } from "./contents.ts";

/** What something was made from, and must still be for it to hold. */
export interface InputRecord {
  /** Files by path: the sha256 of their content; "" for one that must not be there. */
  readonly files: Readonly<Record<string, string>>;
  /** Folders: of the names with these stems, a digest of which are there, and as what. */
  readonly folders: readonly (readonly [folder: string, stems: readonly string[], digest: string])[];
}

/** Gathers what a look at the disk depends on: files, and the names that would have led elsewhere had they been there. */
export class Inputs {
  readonly #files = new Set<string>();
  readonly #folders = new Map<string, Set<string>>();

  /** The content of a file, or that there is none. */
  file(path: string): void {
    this.#files.add(path);
  }

  /** Whatever a resolver may find at a path: the file, the file with an ending, the folder with its index. */
  near(path: string): void {
    this.name(path);
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return;
    this.name(join(path, "index"));
    this.file(join(path, "package.json"));
  }

  /** Which names are there that begin as this one does. */
  name(path: string): void {
    const folder = dirname(path);
    const stems = this.#folders.get(folder);
    if (stems === undefined) this.#folders.set(folder, new Set([stemOf(basename(path))]));
    else stems.add(stemOf(basename(path)));
  }

  /** As all of it is now; undefined when some of it may have changed since a moment in milliseconds of the clock. */
  record(sinceMs: number): InputRecord | undefined {
    const files: Record<string, string> = {};
    for (const file of this.#files) {
      const content = contentOf(file);
      if (content !== undefined && !isUnchangedSince(file, sinceMs)) return undefined;
      files[file] = content?.hash ?? "";
    }
    const folders: [string, string[], string][] = [];
    const names = new Names();
    for (const [folder, stems] of this.#folders) {
      const list = [...stems];
      const digest = names.digest(folder, list);
      if (digest !== ABSENT && !isUnchangedSince(folder, sinceMs)) return undefined;
      folders.push([folder, list, digest]);
    }
    return { files, folders };
  }
}

/** Whether all is as it was recorded. */
export function holds({ files, folders }: InputRecord): boolean {
  const names = new Names();
  return (
    folders.every(([folder, stems, digest]) => names.digest(folder, stems) === digest) &&
    Object.entries(files).every(([file, hash]) => (contentOf(file)?.hash ?? "") === hash)
  );
}

const ABSENT = "";

/** Names in folders, each folder read once. */
class Names {
  readonly #folders = new Map<string, ReadonlyMap<string, readonly string[]> | undefined>();

  digest(folder: string, stems: readonly string[]): string {
    if (!this.#folders.has(folder)) this.#folders.set(folder, namesIn(folder));
    const names = this.#folders.get(folder);
    if (names === undefined) return ABSENT;
    const hash = createHash("sha256");
    for (const stem of stems) hash.update(`${stem}\0${names.get(stem)?.join("\0") ?? ""}\n`);
    return hash.digest("base64url");
  }
}

/** What is in a folder, by stem: names, with what each is. */
function namesIn(folder: string): ReadonlyMap<string, readonly string[]> | undefined {
  // Most of the folders that are asked for are not there, and an exception costs more than a question.
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) return undefined;
  const found = new Map<string, string[]>();
  for (const item of readdirSync(folder, { withFileTypes: true })) {
    const stem = stemOf(item.name);
    const kind = item.isDirectory() ? "/" : item.isSymbolicLink() ? ` -> ${readlinkSync(join(folder, item.name))}` : "";
    const same = found.get(stem);
    if (same === undefined) found.set(stem, [item.name + kind]);
    else same.push(item.name + kind);
  }
  for (const list of found.values()) if (list.length > 1) list.sort();
  return found;
}

/** A name up to its first ending, as file systems that don't tell `A` from `a` see it. */
function stemOf(name: string): string {
  const dot = name.indexOf(".", 1);
  return (dot < 0 ? name : name.slice(0, dot)).toLowerCase();
}
