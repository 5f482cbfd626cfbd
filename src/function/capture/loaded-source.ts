import module from "node:module";
import { basename, extname } from "node:path";
import { transformedAsByTsx } from "./as-by-tsx.ts";
import { type FunctionLocation, scriptText } from "./inspector.ts";
import { Lines } from "./lines.ts";
import { mapOf, OriginalMap, readText } from "./source-map.ts";

/** The text that the program runs for one script, and where a function's text starts in it. */
export interface LoadedSource {
  readonly source: string;
  readonly map: OriginalMap | undefined;
  /** How many lines the engine's text has before it. @default 0 */
  readonly linesBefore?: number;
}

/**
 * Finds the text that a script was loaded from: the file on disk, the file without its types (Node), the file as tsx
 * transforms it, or, for other loaders, what V8 has. Each is believed only if it holds the function's own text.
 */
export function loadSource(
  file: string,
  kind: "esm" | "cjs",
  functionText: string,
  location: FunctionLocation,
): LoadedSource | undefined {
  const disk = readText(file);
  if (disk !== undefined && standsAt(disk, functionText, location)) return { source: disk, map: mapOf(disk, file) };
  if (disk !== undefined && isTypeScript(file)) {
    // tsx rewrites import() after esbuild, which only V8 can tell.
    const rewritten = /\bimport\s*\(/.test(disk);
    const byNode = module.findSourceMap(file) === undefined ? stripped(disk) : undefined;
    if (byNode !== undefined && standsAt(byNode.source, functionText, location)) return byNode;
    const byTsx = module.findSourceMap(file) === undefined || rewritten ? undefined : retransformed(file, kind);
    // tsx puts a line before a CommonJS module that an ES module imports.
    for (const linesBefore of [0, 1])
      if (
        byTsx !== undefined &&
        standsAt(byTsx.source, functionText, { ...location, line: location.line - linesBefore })
      )
        return { ...byTsx, linesBefore };
  }
  return engineSource(file, functionText, location);
}

/** The text that the engine has, and its map. */
export function engineSource(file: string, functionText: string, location: FunctionLocation): LoadedSource | undefined {
  const source = scriptText(location.scriptId);
  if (source === undefined || startOf(source, functionText, location) === undefined) return undefined;
  const known = module.findSourceMap(file);
  return {
    source,
    map: mapOf(source, file) ?? (known === undefined ? undefined : new OriginalMap(known.payload, file)),
  };
}

/** Whether `text` stands just where V8 has it: the same words elsewhere don't make it the text that is run. */
function standsAt(source: string, text: string, location: { readonly line: number; readonly column: number }): boolean {
  const start = startOf(source, text, location);
  const wanted = new Lines(source).offset(location.line, location.column);
  return start !== undefined && start <= wanted && wanted <= start + text.length;
}

/**
 * Where `text` stands in `source`: around the location that V8 gives, else, when the source only differs elsewhere on the
 * line, at the nearest place.
 */
export function startOf(
  source: string,
  text: string,
  location: { readonly line: number; readonly column: number },
): number | undefined {
  const wanted = new Lines(source).offset(location.line, location.column);
  let best: number | undefined;
  for (let at = source.indexOf(text); at >= 0; at = source.indexOf(text, at + 1)) {
    const inside = at <= wanted && wanted <= at + text.length;
    if (best === undefined || inside || Math.abs(at - wanted) < Math.abs(best - wanted)) best = at;
    if (at > wanted) break;
  }
  return best;
}

function isTypeScript(file: string): boolean {
  return /^\.[cm]?tsx?$|^\.jsx$|^\.[cm]?js$/.test(extname(file));
}

function stripped(disk: string): LoadedSource | undefined {
  const strip = (module as { stripTypeScriptTypes?: (code: string) => string }).stripTypeScriptTypes;
  if (strip === undefined) return undefined;
  try {
    return { source: strip(disk), map: undefined }; // types become blanks, so every position stays
  } catch {
    return undefined;
  }
}

/** tsx keeps no copy of what it made of a file; the same esbuild call makes it again. */
function retransformed(file: string, kind: "esm" | "cjs"): LoadedSource | undefined {
  try {
    const { text, map } = transformedAsByTsx(file, kind);
    return { source: text, map: new OriginalMap(map, `/${basename(file, extname(file))}.js`) };
  } catch {
    return undefined;
  }
}
