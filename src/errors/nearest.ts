/** How many single edits (insert, remove, replace, swap of neighbours) turn `a` into `b`. */
function distance(a: string, b: string): number {
  let older: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min(previous[j]! + 1, row[j - 1]! + 1, previous[j - 1]! + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) best = Math.min(best, older[j - 2]! + 1);
      row.push(best);
    }
    older = previous;
    previous = row;
  }
  return previous[b.length]!;
}

/** The candidate that `name` was most likely meant to be, or undefined when none is near. */
export function nearest(name: string, candidates: Iterable<string>): string | undefined {
  const wanted = name.toLowerCase().replaceAll(/[-_]/g, "");
  let best: string | undefined;
  let bestCost = Math.max(2, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of candidates) {
    const plain = candidate.toLowerCase().replaceAll(/[-_]/g, "");
    const cost =
      (plain.startsWith(wanted) && wanted.length >= 3) || (wanted.startsWith(plain) && plain.length >= 3)
        ? 1
        : distance(wanted, plain);
    if (cost < bestCost) [best, bestCost] = [candidate, cost];
  }
  return best;
}

/** The end of a message about an unknown name: `; did you mean "timeout"?`, or nothing. */
export function didYouMean(name: string, candidates: Iterable<string>): string {
  const found = nearest(name, candidates);
  return found === undefined ? "" : `; did you mean "${found}"?`;
}
