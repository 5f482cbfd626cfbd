import { existsSync, readdirSync } from "node:fs";
import { join, relative, sep } from "node:path";

/** The TypeScript files below a folder, tests and what only they use left out, as sorted paths relative to it with forward slashes. */
export function sourcesBelow(folder: string): string[] {
  return typescriptBelow(folder).filter((file) => !/\.(test|fixture)\.ts$/.test(file));
}

/** The test files below a folder, as sorted paths relative to it with forward slashes. */
export function testsBelow(folder: string): string[] {
  return typescriptBelow(folder).filter((file) => file.endsWith(".test.ts"));
}

function typescriptBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .filter((file) => !`/${file}`.includes("/fixtures/"))
    .sort();
}
