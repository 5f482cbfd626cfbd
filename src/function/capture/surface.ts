let names: Map<unknown, string> | undefined;
let surface: (() => object) | undefined;

/**
 * Tells capture what the package exports, so that `const { task } = sky` is known by what it is and not by how it was
 * imported. Called once by the package's own entry.
 */
export function setPublicSurface(exports: () => object): void {
  surface = exports;
  names = undefined;
}

/** The name under which the package exports this value; "*" for the whole namespace. */
export function publicName(value: unknown): string | undefined {
  if (surface === undefined) return undefined;
  if (names === undefined) {
    const exports = surface();
    names = new Map<unknown, string>(Object.entries(exports).map(([name, item]) => [item, name]));
    names.set(exports, "*");
  }
  return typeof value === "function" || (typeof value === "object" && value !== null) ? names.get(value) : undefined;
}
