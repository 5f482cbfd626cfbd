import { SkyError } from "../errors/sky-error.ts";
import type { ConsoleStream } from "./stream.ts";

export const CONSOLE_MODES = ["auto", "rich", "minimal", "log", "silent"] as const;
export type ConsoleMode = (typeof CONSOLE_MODES)[number];

/**
 * Reads the `console` option: a mode, `true` for `auto`, `false` for `silent`.
 * @throws SkyError SKY_BAD_OPTION for anything else
 */
export function consoleMode(value: unknown): ConsoleMode {
  if (value === undefined || value === true) return "auto";
  if (value === false) return "silent";
  const mode = CONSOLE_MODES.find((known) => known === value);
  if (mode !== undefined) return mode;
  const given = typeof value === "string" ? JSON.stringify(value) : typeof value;
  throw new SkyError(
    "SKY_BAD_OPTION",
    `console is ${given}; it can be true, false, ${CONSOLE_MODES.map((known) => `"${known}"`).join(", ")}.`,
  );
}

/** Whether a live row is drawn: on a terminal that can, and never in `log` mode, which only appends. */
export function isLive(
  mode: ConsoleMode,
  stream: ConsoleStream,
  env: Readonly<Record<string, string | undefined>>,
): boolean {
  if (mode === "log" || mode === "silent") return false;
  const forced = /^(1|true|yes)$/i.test(env["SKYWARD_CONSOLE_FORCE_TTY"] ?? "");
  return forced || (stream.isTTY === true && env["TERM"] !== "dumb");
}
