/** Paths with "/" that a glob means: `*` and `?` within a name, `**` across folders, `{a,b}`. */
export function globPattern(glob: string): RegExp {
  return new RegExp(`^${glob.split("/").map(part).join("/").replaceAll("(?:.*)/", "(?:.*/)?")}$`);
}

function part(text: string): string {
  if (text === "**") return "(?:.*)";
  return text.replaceAll(/[\\^$.|+()[\]]|\*+|\?|\{([^}]*)\}/g, (match, list: string | undefined) => {
    if (list !== undefined) return `(?:${list.split(",").map(part).join("|")})`;
    if (match.startsWith("*")) return "[^/]*";
    return match === "?" ? "[^/]" : `\\${match}`;
  });
}
