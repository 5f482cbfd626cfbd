import type { ModuleExport } from "../module-export.ts";
import { Code } from "./code.ts";
import { moduleName } from "./emit/module.ts";
import { Homes } from "./homes.ts";
import { KnownImports } from "./known-imports.ts";

const codes = new Map<string, Code>();

/** The code of a function that ships by file and export: an entry that imports it. Nothing is inspected. */
export function moduleCode(
  { file, specifier, exported }: ModuleExport,
  name: string,
  include: readonly string[],
): Code {
  const key = [file, specifier, exported, name, ...include].join("\0");
  let code = codes.get(key);
  if (code !== undefined) return code;
  const why = `${specifier} exports no function ${exported}\n    named in ${file}`;
  const hint = `Export ${exported} from there as a function, or name another export in sky.module.`;
  const text =
    `import * as all from ${JSON.stringify(specifier)};\n` +
    // The default import of CommonJS is all that it exports.
    `const found = [all, all.default].map((one) => one?.[${JSON.stringify(exported)}]).find((one) => typeof one === "function");\n` +
    `if (typeof found !== "function") throw Object.assign(new TypeError(${JSON.stringify(why)}), ${JSON.stringify({ code: "SKY_BAD_CALL", hint })});\n` +
    // One that was made by sky.fn is called as its body.
    `export const make = () => found[Symbol.for("skyward.fn.body")] ?? found;\n`;
  const homes = new Homes();
  code = new Code({
    name,
    file,
    line: 1,
    imports: new KnownImports(),
    known: [],
    homes: homes.files,
    entry: {
      name,
      file,
      kind: "esm",
      text,
      entryName: moduleName(file, "esm", text),
      place: () => undefined,
      include,
      wanted: { specifier, exported },
      assets: [],
      modules: [],
      isHome: (path) => homes.has(path),
      declarations: () => undefined,
    },
  });
  codes.set(key, code);
  return code;
}
