import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type * as TraceMapping from "@jridgewell/trace-mapping";

const require = createRequire(import.meta.url);
let tracer: typeof TraceMapping | undefined;

/** A place in a file that a person wrote; line and column count from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** Leads from positions in generated text back to the text that it was made from. */
export class OriginalMap {
  readonly #map: TraceMapping.TraceMap;
  readonly #base: string;

  /** `generated` is the file that the map belongs to: its sources are relative to it. */
  constructor(raw: string | object, generated: string) {
    tracer ??= require("@jridgewell/trace-mapping") as typeof TraceMapping;
    this.#map = new tracer.TraceMap(raw as string);
    this.#base = dirname(generated);
  }

  /** `line` and `column` count from 0. */
  original(line: number, column: number): Place | undefined {
    const found = tracer!.originalPositionFor(this.#map, { line: line + 1, column });
    if (found.source === null) return undefined;
    return { file: this.#file(found.source), line: found.line, column: found.column + 1 };
  }

  /** The text of the file that `place` is in, if the map or the disk has it. */
  text(file: string): string | undefined {
    const source = this.#map.sources.find((item) => item !== null && this.#file(item) === file);
    const kept = source === undefined || source === null ? null : tracer!.sourceContentFor(this.#map, source);
    return kept ?? readText(file);
  }

  #file(source: string): string {
    const rooted = this.#map.sourceRoot ? `${this.#map.sourceRoot.replace(/\/$/, "")}/${source}` : source;
    if (rooted.startsWith("file://")) return fileURLToPath(rooted);
    return resolve(this.#base, rooted.split("?")[0]!);
  }
}

/** The map that a file names in its last `//# sourceMappingURL=` line, inline or beside it. */
export function mapOf(source: string, file: string): OriginalMap | undefined {
  const at = source.lastIndexOf("//# sourceMappingURL=");
  if (at < 0) return undefined;
  const url = source.slice(at + "//# sourceMappingURL=".length).split(/\s/, 1)[0]!;
  try {
    if (url.startsWith("data:")) {
      const [head, body = ""] = url.split(",", 2);
      return new OriginalMap(
        head!.endsWith(";base64") ? Buffer.from(body, "base64").toString() : decodeURIComponent(body),
        file,
      );
    }
    const path = fileURLToPath(new URL(url, pathToFileURL(file)));
    return new OriginalMap(readFileSync(path, "utf8"), path);
  } catch {
    return undefined; // a map that can't be read only costs the original lines
  }
}

export function readText(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8").replace(/^\uFEFF/, "");
  } catch {
    return undefined;
  }
}
