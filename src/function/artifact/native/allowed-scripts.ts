import { existsSync } from "node:fs";
import { join } from "node:path";
import { readManifest } from "../layout.ts";
import { readYaml } from "./read-yaml.ts";

type Lists = readonly unknown[];

const known = new Map<string, ReadonlyMap<string, boolean>>();

/**
 * Whether a project lets a package run its install scripts: by `allowScripts` of npm, `trustedDependencies` of Bun or
 * `onlyBuiltDependencies` and `allowBuilds` of pnpm.
 */
export function maySetUp(project: string, name: string, version: string): boolean {
  let rules = known.get(project);
  if (rules === undefined) {
    rules = rulesOf(project);
    known.set(project, rules);
  }
  return rules.get(`${name}@${version}`) ?? rules.get(name) ?? false;
}

function rulesOf(project: string): Map<string, boolean> {
  const manifest = readManifest(join(project, "package.json"));
  const file = join(project, "pnpm-workspace.yaml");
  const workspace = existsSync(file) ? ((readYaml(file) ?? {}) as Record<string, unknown>) : {};
  const pnpm = (manifest["pnpm"] ?? {}) as Readonly<Record<string, unknown>>;
  const lists: Lists = [
    manifest["trustedDependencies"],
    pnpm["onlyBuiltDependencies"],
    workspace["onlyBuiltDependencies"],
    workspace["allowBuilds"],
    manifest["allowScripts"],
  ];
  const rules = new Map<string, boolean>();
  for (const list of lists) {
    if (Array.isArray(list)) for (const name of list) rules.set(String(name), true);
    else if (typeof list === "object" && list !== null)
      for (const [name, allowed] of Object.entries(list)) rules.set(name, allowed === true);
  }
  return rules;
}
