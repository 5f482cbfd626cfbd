/** The symbols of the language that are the same everywhere though no registry holds them. */
const NAMES = [
  "iterator",
  "asyncIterator",
  "hasInstance",
  "isConcatSpreadable",
  "match",
  "matchAll",
  "replace",
  "search",
  "species",
  "split",
  "toPrimitive",
  "toStringTag",
  "unscopables",
  "dispose",
  "asyncDispose",
] as const;

const byName = new Map<string, symbol>();
const bySymbol = new Map<symbol, string>();
for (const name of NAMES) {
  const symbol = (Symbol as unknown as Record<string, unknown>)[name];
  if (typeof symbol === "symbol") {
    byName.set(name, symbol);
    bySymbol.set(symbol, name);
  }
}

/** The name after `Symbol.`, or undefined where the symbol is not one of the language's. */
export function wellKnownName(symbol: symbol): string | undefined {
  return bySymbol.get(symbol);
}

export function wellKnownSymbol(name: string): symbol | undefined {
  return byName.get(name);
}

/** Whether the other end has the same symbol. */
export function travels(symbol: symbol): boolean {
  return Symbol.keyFor(symbol) !== undefined || bySymbol.has(symbol);
}
