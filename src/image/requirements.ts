import type { ResolvedImage } from "./image.ts";

export interface RequirementsFile {
  /** A pyproject.toml; `@@NAME@@` stands for a variable of the machine. */
  readonly text: string;
  readonly variables: readonly string[];
}

/** Packages as a project's dependencies: only there can one say which index a package comes from. */
export function requirementsFile({ pip, pipIndexes }: ResolvedImage): RequirementsFile {
  const variables = new Set<string>();
  const dependencies = pip.map((requirement) =>
    tomlText(
      requirement.replaceAll(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (_, name: string) => {
        variables.add(name);
        return `@@${name}@@`;
      }),
    ),
  );
  const lines = ["[project]", 'name = "image"', 'version = "0"', `dependencies = [${dependencies.join(", ")}]`];
  const sources: string[] = [];
  for (const [at, { url, packages }] of pipIndexes.entries()) {
    lines.push("[[tool.uv.index]]", `name = "index${at}"`, `url = ${tomlText(url)}`, "explicit = true");
    for (const one of packages) sources.push(`${tomlText(one)} = { index = "index${at}" }`);
  }
  if (sources.length > 0) lines.push("[tool.uv.sources]", ...sources);
  return { text: `${lines.join("\n")}\n`, variables: [...variables] };
}

/** JSON's escapes are TOML's, but for the delete character. */
function tomlText(text: string): string {
  return JSON.stringify(text).replaceAll("\u007F", String.raw`\u007f`);
}
