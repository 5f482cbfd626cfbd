import type { ErrorCode } from "../../errors/codes.ts";
import { SkyError } from "../../errors/sky-error.ts";
import type { Place } from "./source-map.ts";

/** The way from the function to what is being looked at: `train -> config -> socket`. */
export class Path {
  readonly #parts: readonly string[];
  readonly place: Place | undefined;

  constructor(parts: readonly string[], place: Place | undefined) {
    this.#parts = parts;
    this.place = place;
  }

  /** One step further; a new place when the step led into other source text. */
  to(part: string, place: Place | undefined = this.place): Path {
    return new Path([...this.#parts, part], place);
  }

  /** The same way, begun anew where the source of its end stands. */
  at(place: Place): Path {
    return new Path([this.last], place);
  }

  get root(): string {
    return this.#parts[0] ?? "the function";
  }

  get last(): string {
    return this.#parts.at(-1) ?? this.root;
  }

  toString(): string {
    return this.#parts.join(" -> ");
  }
}

/**
 * The error for something that can't travel. It names the way to it, its kind, the file and the line.
 * `culprit` is put in brackets behind the path: `train -> config -> socket (net.Socket)`.
 */
export function refuse(
  code: Extract<ErrorCode, `SKY_CAPTURE_${string}`>,
  path: Path,
  culprit: string,
  why: string,
  hint?: string,
): SkyError {
  const way = `${path.toString()}${culprit === "" ? "" : ` (${culprit})`}`;
  const at = path.place === undefined ? "" : `\n    at ${path.place.file}:${path.place.line}:${path.place.column}`;
  return new SkyError(code, `${path.root} can't be sent: ${way} ${why}.${at}`, {
    ...(hint === undefined ? {} : { hint }),
    details: {
      stage: "capture",
      function: path.root,
      path: way,
      ...(path.place === undefined ? {} : { file: path.place.file, line: path.place.line, column: path.place.column }),
    },
  });
}
