/** What a pattern with `*` and `?` means, in capitals or not. */
export function globOf(pattern: string): RegExp {
  const escaped = pattern.replaceAll(/[.+^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^${escaped.replaceAll("*", ".*").replaceAll("?", ".")}$`, "i");
}

/** Whether one of the patterns means it, and none with "!" before it does. */
export function matchesOne(patterns: readonly string[], text: string): boolean {
  let found = false;
  for (const pattern of patterns) {
    const negated = pattern.startsWith("!");
    if (!globOf(negated ? pattern.slice(1) : pattern).test(text)) continue;
    if (negated) return false;
    found = true;
  }
  return found;
}
