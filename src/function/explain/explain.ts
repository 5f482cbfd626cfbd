import { promisify } from "node:util";
import { brotliCompress, constants } from "node:zlib";
import { SkyError } from "../../errors/sky-error.ts";
import { blob } from "../artifact/store.ts";
import { type AnyFn, bodyOf, isFn } from "../brand.ts";
import { captureSync } from "../capture/capture.ts";
import { nameOf } from "../name.ts";
import type { ExplainedData, Explanation } from "./explanation.ts";
import { homeOf } from "./home.ts";
import { encodedSize, externalsOf, filesOf, packagesOf, sourcesOf, valuesOf } from "./parts.ts";
import { slotsOf } from "./slots.ts";
import { explanationText } from "./text.ts";

type AnyFunction = (...args: never) => unknown;
type Found = { -readonly [K in keyof Explanation]?: Explanation[K] };

const compress = promisify(brotliCompress);

/**
 * Finds out what would travel with a function, made by `sky.fn` or plain, without a pool. It is captured as at a
 * dispatch, now; a refusal is part of the answer.
 */
export async function explain(f: AnyFn | AnyFunction): Promise<Explanation> {
  const body = isFn(f) ? bodyOf(f) : f;
  const found: Found = { name: isFn(f) ? f.name : nameOf(body) };
  try {
    await find(f, body, found);
  } catch (error) {
    if (!(error instanceof SkyError)) throw error;
    found.refused = error;
  }
  return finish({ ...homeOf(body), ...found });
}

async function find(f: AnyFn | AnyFunction, body: AnyFunction, found: Found): Promise<void> {
  const { code, values } = captureSync(f);
  found.file = code.file;
  found.line = code.line;
  const slots = slotsOf(body, code.name);
  found.sources = sourcesOf(slots);
  found.values = valuesOf(slots, values ?? {});
  const artifact = await code.ready();
  const reached = code.reach();
  const { packages, warnings } = packagesOf(code.name, reached);
  found.entry = artifact.entry;
  found.files = filesOf(code.name, artifact, reached);
  found.packages = packages;
  const installed = externalsOf(code.name, artifact, (root) => code.wayTo(root));
  found.externals = installed.externals;
  found.warnings = [...warnings, ...installed.warnings];
  const contents = artifact.files.flatMap((file) => blob(file.hash) ?? []);
  const beside = values === undefined ? 0 : encodedSize(values);
  const small = await compress(Buffer.concat(contents), { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } });
  found.bytes = {
    raw: artifact.files.reduce((sum, file) => sum + file.size, 0) + beside,
    compressed: small.length + beside,
  };
}

function finish(found: Found & { readonly file: string; readonly line: number }): Explanation {
  const data: Omit<Explanation, "toString" | "toJSON"> = {
    name: found.name ?? "",
    file: found.file,
    line: found.line,
    entry: found.entry ?? "",
    bytes: found.bytes ?? { raw: 0, compressed: 0 },
    files: found.files ?? [],
    packages: found.packages ?? [],
    externals: found.externals ?? [],
    values: found.values ?? [],
    sources: found.sources ?? [],
    warnings: found.warnings ?? [],
    ...(found.refused === undefined ? {} : { refused: found.refused }),
  };
  // Beside the data, so that what is copied or compared is the data alone.
  return Object.defineProperties(data, {
    toString: { value: () => explanationText(data) },
    toJSON: { value: () => plain(data) },
  }) as Explanation;
}

function plain(data: Omit<Explanation, "toString" | "toJSON">): ExplainedData {
  if (data.refused === undefined) return { ...data, refused: undefined };
  const { code, message, hint, details } = data.refused;
  return { ...data, refused: { code, message, hint, details } };
}
