import { inspect, types } from "node:util";

/** Above this, listing the keys of an array takes long: 150 ms for a million. */
const LARGE = 1000;

/** The listed properties that an array, a view, a Map or a Set has besides what it holds. */
export function extraKeys(value: object): string[] {
  const isIndexed = Array.isArray(value) || ArrayBuffer.isView(value);
  if (!isIndexed && !types.isMap(value) && !types.isSet(value)) return [];
  if (isIndexed && (value as { readonly length: number }).length > LARGE && showsItemsAlone(value)) return [];
  const keys = Object.keys(value);
  if (!isIndexed) return keys;
  // Indexes come first.
  let first = keys.length;
  while (first > 0 && !/^(?:0|[1-9]\d*)$/.test(keys[first - 1]!)) first--;
  return keys.slice(first);
}

/** Node's inspect asks the engine for the names that are no index, which no program can. */
function showsItemsAlone(value: object): boolean {
  const text = inspect(value, { maxArrayLength: 0, depth: 0, breakLength: Infinity, customInspect: false });
  return /^(?:[\w$]+\(\d+\) )?\[ \.\.\. \d+ more items? \]$/.test(text);
}
