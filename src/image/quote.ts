/** One word for any POSIX shell, fish included. */
export function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
