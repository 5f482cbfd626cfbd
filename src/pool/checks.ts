import { didYouMean } from "../errors/nearest.ts";
import { SkyError } from "../errors/sky-error.ts";

/** @throws SkyError SKY_BAD_OPTION for a name that is not among `names` */
export function known(what: string, given: object, names: readonly string[]): void {
  for (const name of Object.keys(given)) {
    if (!names.includes(name))
      throw new SkyError(
        "SKY_BAD_OPTION",
        `${what} has no option "${name}"${didYouMean(name, names) || `; there are ${names.join(", ")}.`}`,
      );
  }
}

export function whole(name: string, value: unknown, min: number, max: number): number | undefined {
  if (value === undefined) return undefined;
  if (Number.isInteger(value) && (value as number) >= min && (value as number) <= max) return value as number;
  throw bad(name, `a whole number from ${min} to ${max}`, value);
}

export function oneOf<const T extends string>(name: string, value: unknown, allowed: readonly T[]): T | undefined {
  if (value === undefined || allowed.includes(value as T)) return value as T | undefined;
  const near = typeof value === "string" ? didYouMean(value, allowed) : "";
  throw bad(name, allowed.map((one) => `"${one}"`).join(" or "), value, near);
}

export function bad(name: string, wanted: string, value: unknown, more = ""): SkyError {
  return new SkyError("SKY_BAD_OPTION", `${name} must be ${wanted}; got ${show(value)}${more}`);
}

export function show(value: unknown): string {
  if (typeof value === "function") return value.name === "" ? "a function" : `the function ${value.name}`;
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return typeof value;
  }
}
