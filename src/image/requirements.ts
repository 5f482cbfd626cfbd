import type { ResolvedImage } from "./image.ts";

export interface RequirementsFile {
  /** A pyproject.toml; `@@NAME@@` stands for a variable of the machine. */
  readonly text: string;
  /** What is no named dependency: addresses and paths. */
  readonly direct: readonly string[];
  readonly variables: readonly string[];
}

/** Packages as a project's dependencies: only there can one say which index a package comes from. */
export function requirementsFile({ pip, pipIndexes }: ResolvedImage): RequirementsFile {
  const variables = new Set<string>();
  const direct = pip.filter((requirement) => DIRECT.test(requirement));
  const dependencies = pip
    .filter((requirement) => !DIRECT.test(requirement))
    .map((requirement) =>
      tomlText(
        requirement.replaceAll(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (_, name: string) => {
          variables.add(name);
          return `@@${name}@@`;
        }),
      ),
    );
  const lines = ["[project]", 'name = "skyward-image"', 'version = "0"', `dependencies = [${dependencies.join(", ")}]`];
  const sources: string[] = [];
  for (const [at, { url, packages }] of pipIndexes.entries()) {
    lines.push("[[tool.uv.index]]", `name = "index${at}"`, `url = ${tomlText(url)}`, "explicit = true");
    for (const one of packages) sources.push(`${tomlText(one)} = { index = "index${at}" }`);
  }
  if (sources.length > 0) lines.push("[tool.uv.sources]", ...sources);
  return { text: `${lines.join("\n")}\n`, direct, variables: [...variables] };
}

/** Such as "git+https://host/repository", "https://host/a.whl" or "./a.whl". */
const DIRECT = /^(?:[a-z][a-z+]*:\/\/|\.{0,2}\/|~\/)/i;

/** JSON's escapes are TOML's, but for the delete character. */
function tomlText(text: string): string {
  return JSON.stringify(text).replaceAll("\u007F", String.raw`\u007f`);
}
