import { SkyError } from "../errors/sky-error.ts";

/** A place in a tree, and what is there: the sha256 of a file in hex, or `>` and where a link leads. */
export type Thing = readonly [path: string, what: string];

/** How one list of things comes from another; both are in the order of their paths. */
export interface TreeChange {
  /** What is new, or other than before. */
  readonly added: readonly Thing[];
  /** What is no more, as ranges of the earlier list. */
  readonly gone: readonly (readonly [at: number, count: number])[];
}

export function treeChange(before: readonly Thing[], after: readonly Thing[]): TreeChange {
  const added: Thing[] = [];
  const gone: [number, number][] = [];
  let at = 0;
  const drop = (): void => {
    const last = gone.at(-1);
    if (last !== undefined && last[0] + last[1] === at) last[1]++;
    else gone.push([at, 1]);
    at++;
  };
  for (const thing of after) {
    while (at < before.length && before[at]![0] < thing[0]) drop();
    const old = before[at];
    if (old?.[0] !== thing[0]) added.push(thing);
    else {
      if (old[1] !== thing[1]) added.push(thing);
      at++;
    }
  }
  while (at < before.length) drop();
  return { added, gone };
}

/** @throws SkyError SKY_WIRE_MALFORMED for ranges that are not there */
export function changedTree(before: readonly Thing[], { added, gone }: TreeChange): Thing[] {
  const things = new Map<string, string>();
  let at = 0;
  for (const [from, count] of [...gone, [before.length, 0] as const]) {
    if (!(from >= at && count >= 0 && from + count <= before.length))
      throw new SkyError("SKY_WIRE_MALFORMED", "a tree without things that it never had");
    for (; at < from; at++) things.set(...before[at]!);
    at = from + count;
  }
  for (const [path, what] of added) things.set(path, what);
  return [...things].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}
