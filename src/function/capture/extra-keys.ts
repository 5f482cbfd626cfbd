import { types } from "node:util";

/** The listed properties that an array, a view, a Map or a Set has besides what it holds. */
export function extraKeys(value: object): string[] {
  const isIndexed = Array.isArray(value) || ArrayBuffer.isView(value);
  if (!isIndexed && !types.isMap(value) && !types.isSet(value)) return [];
  const keys = Object.keys(value);
  if (!isIndexed) return keys;
  // Indexes come first.
  let first = keys.length;
  while (first > 0 && !/^(?:0|[1-9]\d*)$/.test(keys[first - 1]!)) first--;
  return keys.slice(first);
}
