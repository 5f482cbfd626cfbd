/** Shorter ones would blot out common words. */
const SHORTEST = 4;

/**
 * A function that puts "***" for secrets wherever they stand in plain data. One of several lines is also hidden line by
 * line, as it is printed. @returns undefined where there is nothing to hide
 */
export function hiderOf(secrets: readonly string[]): (<T>(value: T) => T) | undefined {
  const parts = secrets.flatMap((secret) => [secret, ...secret.split(/\r?\n/)]);
  const texts = [...new Set(parts)].filter((text) => text.length >= SHORTEST).sort((a, b) => b.length - a.length);
  return texts.length === 0 ? undefined : (value) => hidden(value, texts);
}

function hidden<T>(value: T, texts: readonly string[]): T {
  if (typeof value === "string") return texts.reduce((text, one) => text.replaceAll(one, "***"), value as string) as T;
  if (Array.isArray(value)) return value.map((one: unknown) => hidden(one, texts)) as T;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, hidden(one, texts)])) as T;
}
