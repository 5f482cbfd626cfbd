/** How many tasks wait, as the beginning of a reason. */
export function waiting(count: number): string {
  return count === 1 ? "1 task waits" : `${count} tasks wait`;
}
