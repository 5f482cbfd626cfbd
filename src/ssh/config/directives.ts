import { readdir, readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { globOf } from "./glob.ts";

/** "~/x" below this user's home. */
export function homePath(path: string): string {
  return path.replace(/^~(?=\/|$)/, homedir());
}

/** The line that begins a block: what comes behind it holds for some hosts only. */
export interface Block {
  readonly type: "host" | "match";
  readonly words: readonly string[];
}

/** One setting, and the blocks that it stands in: more than one in an included file. */
export interface Directive {
  /** In small letters. */
  readonly name: string;
  readonly words: readonly string[];
  /** All behind the name as it stands there. */
  readonly text: string;
  readonly within: readonly Block[];
}

const INCLUDE_DEPTH_MAX = 16;
const LINE = /^\s*([A-Za-z]+)(?:\s*=\s*|\s+)(.*?)\s*$/;
/** A quoted word, a bare one, or the beginning of a comment. */
const WORD = /"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|(#.*)|((?:[^\s"'\\]|\\.)+)/g;

/** The settings of a configuration's text in order, with those of the files that it includes. */
export async function directivesOf(
  text: string,
  folder: string,
  within: readonly Block[] = [],
  depth = 0,
): Promise<readonly Directive[]> {
  const found: Directive[] = [];
  let inside = within;
  for (const line of text.split(/\r?\n/)) {
    const [, given, rest = ""] = LINE.exec(line) ?? [];
    if (given === undefined) continue;
    const name = given.toLowerCase();
    const words = wordsOf(rest);
    // A block of an included file ends with the file.
    if (name === "host" || name === "match") inside = [...within, { type: name, words }];
    else if (name !== "include") found.push({ name, words, text: rest, within: inside });
    else if (depth < INCLUDE_DEPTH_MAX) {
      for (const path of (await Promise.all(words.map((word) => expand(word, folder)))).flat()) {
        const included = await readFile(path, "utf8").catch(() => "");
        found.push(...(await directivesOf(included, folder, inside, depth + 1)));
      }
    }
  }
  return found;
}

function wordsOf(text: string): string[] {
  const words: string[] = [];
  for (const [, double, single, comment, bare] of text.matchAll(WORD)) {
    if (comment !== undefined) break;
    words.push((double ?? single ?? bare ?? "").replaceAll(/\\(["'\\ ])/g, "$1"));
  }
  return words;
}

/** Files that a pattern names; a star in the last part only, as `config.d/*`. */
async function expand(pattern: string, folder: string): Promise<string[]> {
  const path = resolve(folder, homePath(pattern));
  const name = basename(path);
  if (!/[*?]/.test(name)) return [path];
  const shape = globOf(name);
  const names = await readdir(dirname(path)).catch(() => []);
  return names
    .filter((one) => shape.test(one) && !one.startsWith("."))
    .sort()
    .map((one) => join(dirname(path), one));
}
