import type { ConsoleStream } from "./stream.ts";

/** Wraps text in SGR sequences, or leaves it as it is where colours are off. */
export interface Colors {
  readonly enabled: boolean;
  dim(text: string): string;
  red(text: string): string;
  yellow(text: string): string;
  green(text: string): string;
  cyan(text: string): string;
}

/** `FORCE_COLOR` decides first, then `NO_COLOR`, then whether the stream is a terminal that is not dumb. */
export function wantsColors(stream: ConsoleStream, env: Readonly<Record<string, string | undefined>>): boolean {
  const forced = env["FORCE_COLOR"];
  if (forced !== undefined) return forced !== "0" && forced !== "false";
  if ((env["NO_COLOR"] ?? "") !== "") return false;
  return stream.isTTY === true && env["TERM"] !== "dumb";
}

export function colorsFor(enabled: boolean): Colors {
  const paint =
    (code: number, end: number) =>
    (text: string): string =>
      enabled && text !== "" ? `\x1b[${code}m${text}\x1b[${end}m` : text;
  return {
    enabled,
    dim: paint(2, 22),
    red: paint(31, 39),
    yellow: paint(33, 39),
    green: paint(32, 39),
    cyan: paint(36, 39),
  };
}
