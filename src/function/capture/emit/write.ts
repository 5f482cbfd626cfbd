import { dirname, posix, relative, sep } from "node:path";
import { NAMESPACE } from "../imports.ts";
import { isExpression } from "../parser.ts";
import type { ImportItem, Replacement, Slot, SourceItem, Stretch } from "../slot.ts";
import type { EmittedText } from "../text.ts";
import type { Names } from "./names.ts";

/** The module that is written. */
export interface Target {
  /** The user's file beside which it lies. */
  readonly file: string;
  readonly kind: "esm" | "cjs";
  readonly names: Names;
  /** Variables that are kept in an object, `name.value`, because several modules share and assign them. */
  readonly boxed: ReadonlySet<Slot>;
}

export function writeImport(out: EmittedText, slot: Slot, item: ImportItem, target: Target): void {
  const specifier = JSON.stringify(rebased(item.specifier, item.base, target.file));
  const local = target.names.get(slot)!;
  if (target.kind === "cjs") {
    const from = `require(${specifier})`;
    if (item.imported === NAMESPACE || (item.imported === "default" && item.specifier.startsWith("node:")))
      out.add(`const ${local} = ${from};\n`);
    else out.add(`const { ${JSON.stringify(item.imported)}: ${local} } = ${from};\n`);
    return;
  }
  if (item.imported === NAMESPACE) writeNamespace(out, local, specifier, item);
  else if (item.imported === "default") out.add(`import ${local} from ${specifier}${item.attributes};\n`);
  else if (item.imported === local) out.add(`import { ${local} } from ${specifier}${item.attributes};\n`);
  else out.add(`import { ${exportName(item.imported)} as ${local} } from ${specifier}${item.attributes};\n`);
}

function writeNamespace(out: EmittedText, local: string, specifier: string, item: ImportItem): void {
  const direct = item.interop ? `${local}$ns` : local;
  out.add(`import * as ${direct} from ${specifier}${item.attributes};\n`);
  if (!item.interop) return;
  const get = `(all, key) => key in all || all.default == null ? all[key] : all.default[key]`;
  out.add(`const ${local} = new Proxy(${direct}, { get: ${get} });\n`);
}

function exportName(name: string): string {
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(name) ? name : JSON.stringify(name);
}

/** A specifier as a module that lies beside `file` has to write it. */
export function rebased(specifier: string, base: string, file: string): string {
  if (!/^\.\.?(\/|$)/.test(specifier) || base === "" || dirname(base) === dirname(file)) return specifier;
  const there = relative(dirname(file), dirname(base)).split(sep).join("/");
  const joined = posix.join(there, specifier);
  return joined.startsWith(".") ? joined : `./${joined}`;
}

export function writeDeclaration(out: EmittedText, slot: Slot, indent: string, target: Target): void {
  const { item } = slot;
  const nameOf = (other: Slot): string => target.names.get(other)!;
  const name = nameOf(slot);
  switch (item.kind) {
    case "source":
      return writeSource(out.add(indent), name, item, target);
    case "text": {
      const picked = item.pattern === undefined ? "" : pick(item.pattern, item.name);
      copyWith(out.add(`${indent}const ${name} = (`), item, target).add(`)${picked};\n`);
      return;
    }
    case "expression":
      out.add(`${indent}const ${name} = ${item.text};\n`);
      return;
    case "member":
      out.add(`${indent}const ${name} = ${nameOf(item.of)}[${JSON.stringify(item.property)}];\n`);
      return;
    case "fn": {
      const options = item.name === undefined ? "" : `, { name: ${JSON.stringify(item.name)} }`;
      out.add(`${indent}const ${name} = ${nameOf(item.fn)}(${nameOf(item.body)}${options});\n`);
      return;
    }
    case "once": {
      const made = `${nameOf(item.once)}(${nameOf(item.make)})`;
      out.add(
        `${indent}const ${name} = ${item.id === undefined ? made : `$named(${nameOf(item.id)}, () => ${made})`};\n`,
      );
      return;
    }
    case "bound":
      out.add(`${indent}const ${name} = ${nameOf(item.target)}.bind(${item.given.map(nameOf).join(", ")});\n`);
      return;
    case "alias":
      out.add(`${indent}let ${name} = ${nameOf(item.of)};\n`);
      return;
    case "patch":
      return writePatch(out, nameOf(item.target), nameOf(item.data), item.part, isClass(item.target), indent);
    case "register": {
      const { id, methods } = item;
      const parts = [
        ...(id === undefined ? [] : [`id: ${JSON.stringify(id)}`]),
        ...(methods === undefined ? [] : [`encode: ${nameOf(methods.encode)}`, `decode: ${nameOf(methods.decode)}`]),
      ];
      const codec = methods === undefined ? "" : `, { ${parts.join(", ")} }`;
      out.add(`${indent}${nameOf(item.register)}(${nameOf(item.target)}${codec});\n`);
      return;
    }
    case "inherit":
      out.add(`${indent}Object.setPrototypeOf(${nameOf(item.target)}.prototype, ${nameOf(item.parent)}.prototype);\n`);
      return;
    case "import":
    case "value":
  }
}

export function isClass({ item }: Slot): boolean {
  return item.kind === "source" && item.node.type.startsWith("Class");
}

/** Methods of a class don't show among its properties; what is assigned to anything else does. */
function writePatch(
  out: EmittedText,
  name: string,
  data: string,
  part: "own" | "prototype",
  ofClass: boolean,
  indent: string,
): void {
  const holder = part === "own" ? name : `${name}.prototype`;
  const enumerable = part === "own" || !ofClass;
  const options = `value: ${data}[$key], writable: true, enumerable: ${enumerable}, configurable: true`;
  out.add(
    `${indent}for (const $key of Object.keys(${data})) Object.defineProperty(${holder}, $key, { ${options} });\n`,
  );
}

/** Of `{ a, b: c }`, what leads to the variable `name`: `.a` or `["b"]`. */
function pick(pattern: string, name: string): string {
  const part = pattern
    .slice(1, -1)
    .split(",")
    .map((item) => item.split(":").map((side) => side.trim()))
    .find((sides) => sides.at(-1) === name);
  const key = part?.[0] ?? name;
  return /^["']/.test(key) ? `[${key}]` : `[${JSON.stringify(key)}]`;
}

function writeSource(out: EmittedText, name: string, item: SourceItem, target: Target): void {
  const text = item.module.source.slice(item.start, item.end);
  const own = (item.node["id"] as { name?: string } | null | undefined)?.name;
  const declaration = item.node.type.endsWith("Declaration") && own === name;
  if (declaration) copyWith(out, item, target).add("\n");
  else if (isExpression(text)) copyWith(out.add(`const ${name} = `), item, target).add(";\n");
  else copyWith(out.add(`const ${name} = Object.values({ `), item, target).add(" })[0];\n");
}

/** Copies a stretch, with the new names of what it uses. */
function copyWith(out: EmittedText, item: Stretch, target: Target): EmittedText {
  let at = item.start;
  const changes = [...item.uses.map((use) => renamed(item, use.start, use.end, use.slot, target)), ...item.replacements]
    .filter((change) => change !== undefined)
    .sort((a, b) => a.start - b.start);
  for (const { start, end, text } of changes) {
    out.copy(item.module, at, start).add(text);
    at = end;
  }
  return out.copy(item.module, at, item.end);
}

function renamed(item: Stretch, start: number, end: number, slot: Slot, target: Target): Replacement | undefined {
  const old = item.module.source.slice(start, end);
  const name = target.names.get(slot)!;
  if (name === old && !target.boxed.has(slot)) return undefined;
  const { shorthand, called } = item.module.factsOf(item.node).at(start);
  // Not `name.value()`, which would hand the box on as `this`.
  const text = target.boxed.has(slot) ? `${name}.${called ? "get()" : "value"}` : name;
  return { start, end, text: shorthand ? `${old}: ${text}` : text };
}
