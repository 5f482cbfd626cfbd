import { SkyError } from "../errors/sky-error.ts";

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const WHOLE = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/;
const PART = /(\d+(?:\.\d+)?)(ms|s|m|h|d)/g;

/** The longest delay that a Node timer can hold is 2^31 - 1 ms; durations beyond a year are surely a slip. */
const LONGEST_MS = 366 * 86_400_000;

/**
 * A duration as users write it ("250ms", "1.5s", "10m", "1h30m", "2d") in milliseconds.
 * `field` names the option in the error.
 * @throws SkyError SKY_BAD_DURATION for a bare number, a missing unit, or anything else.
 */
export function parseDuration(value: unknown, field: string): number {
  if (typeof value === "number") {
    throw new SkyError(
      "SKY_BAD_DURATION",
      `${field} is the bare number ${value}: write its unit, such as ${suggestion(value)}.`,
    );
  }
  if (typeof value !== "string") {
    throw new SkyError(
      "SKY_BAD_DURATION",
      `${field} must be a string with a unit, such as "10m"; got ${describe(value)}.`,
    );
  }
  const text = value.replaceAll(/\s+/g, "");
  if (!WHOLE.test(text)) {
    const hint = /^\d+(\.\d+)?$/.test(text)
      ? `write its unit, such as ${suggestion(Number(text))}`
      : 'write it as "250ms", "1.5s", "10m" or "1h30m"';
    throw new SkyError("SKY_BAD_DURATION", `${field} is ${JSON.stringify(value)}: ${hint}.`);
  }
  let ms = 0;
  for (const [, amount, unit] of text.matchAll(PART)) ms += Number(amount) * UNITS[unit!]!;
  if (!(ms <= LONGEST_MS))
    throw new SkyError("SKY_BAD_DURATION", `${field} is ${JSON.stringify(value)}: the longest duration is a year.`);
  return ms;
}

function suggestion(value: number): string {
  if (!Number.isFinite(value) || value < 0) return '"10m"';
  return value >= 1000 ? `"${value}ms" or "${value}s"` : `"${value}s"`;
}

function describe(value: unknown): string {
  return value === null ? "null" : `a ${typeof value}`;
}
