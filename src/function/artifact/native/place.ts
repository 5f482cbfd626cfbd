import type { Lock, LockedPackage } from "./lock.ts";

/** A package where it goes. */
export interface PlacedPackage {
  readonly locked: LockedPackage;
  /** What needs it can do without it. */
  readonly optional: boolean;
}

/**
 * Lays a package and all that it needs out in folders, as high as Node's resolution allows: by place, such as
 * `node_modules/a/node_modules/b`.
 */
export function place(lock: Lock, key: string, name: string): Map<string, PlacedPackage> {
  const keys = new Map<string, string>();
  const needed = new Map<string, boolean>();
  const open: { readonly at: string; readonly key: string }[] = [];
  const put = (at: string, placed: string): string => {
    keys.set(at, placed);
    open.push({ at, key: placed });
    return at;
  };
  const edges: { readonly from: string; readonly to: string; readonly optional: boolean }[] = [];
  const top = put(`node_modules/${name}`, key);
  for (let next = open.shift(); next !== undefined; next = open.shift()) {
    const locked = lock.get(next.key)!;
    for (const [names, optional] of [
      [locked.dependencies, false],
      [locked.optional, true],
    ] as const) {
      for (const [dependency, wanted] of names) {
        if (lock.get(wanted) === undefined) continue;
        const found = lookUp(keys, next.at, dependency);
        const free = found === undefined ? `node_modules/${dependency}` : `${next.at}/node_modules/${dependency}`;
        const to = found !== undefined && keys.get(found) === wanted ? found : put(free, wanted);
        edges.push({ from: next.at, to, optional });
      }
    }
  }
  // Optional is what no chain of needs leads to.
  needed.set(top, true);
  for (let size = 0; size !== needed.size;) {
    size = needed.size;
    for (const { from, to, optional } of edges) if (!optional && needed.has(from)) needed.set(to, true);
  }
  const places = [...keys].sort(([a], [b]) => (a < b ? -1 : 1));
  return new Map(places.map(([at, placed]) => [at, { locked: lock.get(placed)!, optional: !needed.has(at) }]));
}

/** As Node finds it from a place. */
function lookUp(keys: ReadonlyMap<string, string>, from: string, name: string): string | undefined {
  for (let base = from; base !== ""; base = above(base)) {
    if (keys.has(`${base}/node_modules/${name}`)) return `${base}/node_modules/${name}`;
  }
  return keys.has(`node_modules/${name}`) ? `node_modules/${name}` : undefined;
}

function above(place: string): string {
  const at = place.lastIndexOf("/node_modules/");
  return at < 0 ? "" : place.slice(0, at);
}
