import { dirname, posix, relative, sep } from "node:path";
import type { Graph } from "./graph.ts";
import { NAMESPACE } from "./imports.ts";
import { isExpression } from "./parser.ts";
import type { BoundUse, Item, Slot } from "./slot.ts";
import { EmittedText } from "./text.ts";

/** What of the graph stands where: names of values, and the code that fills holes in them. */
export interface Emitted {
  readonly text: EmittedText;
  /** The slots behind `values.$fill` and `values.$classes`, by index. */
  readonly fillings: readonly object[];
}

const RESERVED = new Set(
  (
    "arguments await break case catch class const continue debugger default delete do else enum eval export extends false finally for function if implements import in instanceof " +
    "interface let new null package private protected public return static super switch this throw true try typeof undefined var void while with yield values make exports module require"
  ).split(" "),
);

/**
 * Writes the entry module: imports, then what needs no values, then `make(values)`, which gives the function.
 * CommonJS where the function's home is CommonJS, so that its imports mean what they mean at home.
 */
export function emit(graph: Graph): Emitted {
  const home = graph.rootSource.module;
  giveNames(graph);
  const dynamic = dynamicSlots(graph);
  const out = new EmittedText();
  const order = inOrder(graph);
  for (const slot of order) if (slot.item.kind === "import") writeImport(out, slot, slot.item, home.file, home.kind);
  for (const slot of order) if (slot.item.kind !== "import" && !dynamic.has(slot)) writeDeclaration(out, slot, "");
  out.add(home.kind === "esm" ? "export const make = (values) => {\n" : "exports.make = (values) => {\n");
  for (const slot of graph.valueSlots)
    out.add(`  ${slot.constant ? "const" : "let"} ${slot.emitted!} = values[${JSON.stringify(slot.emitted)}];\n`);
  for (const slot of order) if (slot.item.kind !== "value" && dynamic.has(slot)) writeDeclaration(out, slot, "  ");
  const fillings = [...graph.fillings.keys()];
  if (fillings.length > 0) writeFilling(out, [...graph.fillings.values()]);
  out.add(`  return ${graph.root.emitted!};\n};\n`);
  return { text: out, fillings };
}

function writeFilling(out: EmittedText, slots: readonly Slot[]): void {
  const list = `[${slots.map((slot) => slot.emitted!).join(", ")}]`;
  out.add(
    `  for (const [instance, n] of values.$classes ?? []) Object.setPrototypeOf(instance, ${list}[n].prototype);\n`,
  );
  out.add(`  for (const [holder, key, n] of values.$fill ?? []) {\n    const part = ${list}[n];\n`);
  out.add(
    "    if (holder instanceof Map) holder.set(key, part); else if (holder instanceof Set) holder.add(part); else holder[key] = part;\n  }\n",
  );
}

/** Gives each slot the name that it had, where no other and no global has it. */
function giveNames(graph: Graph): void {
  const taken = new Set([...RESERVED, ...graph.globals]);
  const renamedIn = usesByName(graph);
  for (const slot of graph.slots) {
    const wanted = slot.preferred.replaceAll(/[^\w$]/g, "_").replace(/^(?=\d)/, "_") || "value";
    const users = renamedIn.get(slot) ?? [];
    // A user that calls it otherwise may have a variable of its own with the new name.
    const clashes = (name: string): boolean => users.some((user) => user.name !== name && user.text.includes(name));
    let name = wanted;
    for (let n = 1; taken.has(name) || clashes(name); n++) name = `${wanted}$${n}`;
    taken.add(name);
    slot.emitted = name;
  }
}

function usesByName(graph: Graph): Map<Slot, { readonly name: string; readonly text: string }[]> {
  const found = new Map<Slot, { readonly name: string; readonly text: string }[]>();
  for (const { item } of graph.slots) {
    if (item.kind !== "source" && item.kind !== "require") continue;
    const text = item.module.source.slice(item.start, item.end);
    for (const use of item.uses) {
      const list = found.get(use.slot) ?? [];
      list.push({ name: item.module.source.slice(use.start, use.end), text });
      found.set(use.slot, list);
    }
  }
  return found;
}

function dependencies(item: Item): readonly Slot[] {
  switch (item.kind) {
    case "source":
    case "require":
      return item.uses.map((use) => use.slot);
    case "fn":
      return [item.fn, item.body];
    case "bound":
      return [item.target, item.bound];
    case "member":
    case "alias":
      return [item.of];
    default:
      return [];
  }
}

/** Slots that reach a value, and so are made anew for each set of values. */
function dynamicSlots(graph: Graph): Set<Slot> {
  const dynamic = new Set<Slot>(graph.slots.filter((slot) => slot.item.kind === "value" || slot.item.kind === "alias"));
  for (let size = -1; size !== dynamic.size;) {
    size = dynamic.size;
    for (const slot of graph.slots)
      if (!dynamic.has(slot) && dependencies(slot.item).some((other) => dynamic.has(other))) dynamic.add(slot);
  }
  return dynamic;
}

/**
 * Functions first, since defining one runs nothing; then whatever is evaluated where it stands (classes with their
 * heritage and static parts, wrapped functions), each after what it needs.
 */
function inOrder(graph: Graph): Slot[] {
  const lazy = graph.slots.filter((slot) => !isEager(slot));
  const eager: Slot[] = [];
  const state = new Set<Slot>();
  const visit = (slot: Slot): void => {
    if (state.has(slot)) return;
    state.add(slot);
    for (const other of dependencies(slot.item)) visit(other);
    if (isEager(slot)) eager.push(slot);
  };
  for (const slot of graph.slots) visit(slot);
  return [...lazy, ...eager];
}

function isEager(slot: Slot): boolean {
  const { kind } = slot.item;
  if (slot.item.kind === "source") return slot.item.node.type.startsWith("Class");
  return kind === "fn" || kind === "bound" || kind === "member" || kind === "alias" || kind === "require";
}

function writeImport(
  out: EmittedText,
  slot: Slot,
  item: Extract<Item, { kind: "import" }>,
  file: string,
  kind: "esm" | "cjs",
): void {
  const specifier = JSON.stringify(rebased(item.specifier, item.base, file));
  const local = slot.emitted!;
  if (kind === "cjs") {
    const from = `require(${specifier})`;
    if (item.imported === NAMESPACE || (item.imported === "default" && item.specifier.startsWith("node:")))
      out.add(`const ${local} = ${from};\n`);
    else out.add(`const { ${JSON.stringify(item.imported)}: ${local} } = ${from};\n`);
    return;
  }
  if (item.imported === NAMESPACE) out.add(`import * as ${local} from ${specifier}${item.attributes};\n`);
  else if (item.imported === "default") out.add(`import ${local} from ${specifier}${item.attributes};\n`);
  else if (item.imported === local) out.add(`import { ${local} } from ${specifier}${item.attributes};\n`);
  else out.add(`import { ${exportName(item.imported)} as ${local} } from ${specifier}${item.attributes};\n`);
}

function exportName(name: string): string {
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(name) ? name : JSON.stringify(name);
}

/** A specifier as the entry, which lies beside `file`, has to write it. */
function rebased(specifier: string, base: string, file: string): string {
  if (!/^\.\.?(\/|$)/.test(specifier) || base === "" || dirname(base) === dirname(file)) return specifier;
  const there = relative(dirname(file), dirname(base)).split(sep).join("/");
  const joined = posix.join(there, specifier);
  return joined.startsWith(".") ? joined : `./${joined}`;
}

function writeDeclaration(out: EmittedText, slot: Slot, indent: string): void {
  const { item } = slot;
  const name = slot.emitted!;
  switch (item.kind) {
    case "source":
      return writeSource(out.add(indent), name, item);
    case "require": {
      const picked = item.pattern === undefined ? "" : pick(item.pattern, item.name);
      copyWith(out.add(`${indent}const ${name} = (`), item, item.start, item.end).add(`)${picked};\n`);
      return;
    }
    case "expression":
      out.add(`${indent}const ${name} = ${item.text};\n`);
      return;
    case "member":
      out.add(`${indent}const ${name} = ${item.of.emitted!}[${JSON.stringify(item.property)}];\n`);
      return;
    case "fn":
      out.add(
        `${indent}const ${name} = ${item.fn.emitted!}(${item.body.emitted!}${item.name === undefined ? "" : `, { name: ${JSON.stringify(item.name)} }`});\n`,
      );
      return;
    case "bound":
      out.add(`${indent}const ${name} = ${item.target.emitted!}.bind(...${item.bound.emitted!});\n`);
      return;
    case "alias":
      out.add(`${indent}let ${name} = ${item.of.emitted!};\n`);
      return;
    case "import":
    case "value":
  }
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

function writeSource(out: EmittedText, name: string, item: Extract<Item, { kind: "source" }>): void {
  const text = item.module.source.slice(item.start, item.end);
  const own = (item.node["id"] as { name?: string } | null | undefined)?.name;
  const declaration = item.node.type.endsWith("Declaration") && own === name;
  if (declaration) {
    copyWith(out, item, item.start, item.end).add("\n");
  } else if (isExpression(text)) {
    copyWith(out.add(`const ${name} = `), item, item.start, item.end).add(";\n");
  } else {
    copyWith(out.add(`const ${name} = Object.values({ `), item, item.start, item.end).add(" })[0];\n");
  }
}

/** Copies a stretch, with the new names of what it uses. */
function copyWith(
  out: EmittedText,
  item: Extract<Item, { kind: "source" | "require" }>,
  start: number,
  end: number,
): EmittedText {
  let at = start;
  for (const use of item.uses) {
    const name = use.slot.emitted!;
    const old = item.module.source.slice(use.start, use.end);
    if (name === old) continue;
    out.copy(item.module, at, use.start).add(isShorthand(item, use) ? `${old}: ${name}` : name);
    at = use.end;
  }
  return out.copy(item.module, at, end);
}

function isShorthand(item: Extract<Item, { kind: "source" | "require" }>, use: BoundUse): boolean {
  return item.module.isShorthand(use.start);
}
