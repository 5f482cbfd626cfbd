import { createHash } from "node:crypto";
import { basename, extname } from "node:path";
import type { Slot } from "../slot.ts";
import { EmittedText } from "../text.ts";
import { inOrder } from "./dependencies.ts";
import type { Group } from "./groups.ts";
import { giveNames, type Names } from "./names.ts";
import { rebased, type Target, writeDeclaration, writeImport } from "./write.ts";

/** A module of shared declarations, named by its content, that lies beside the file that declares them. */
export interface EmittedModule {
  /** The user's file. */
  readonly file: string;
  readonly kind: "esm" | "cjs";
  /** Its own name, in the file's folder. */
  readonly name: string;
  readonly text: EmittedText;
}

/** A group and its module, and under which name that has each of its declarations. */
export interface SharedModule {
  readonly group: Group;
  readonly module: EmittedModule;
  readonly names: Names;
}

/** Writes a group as a module: its declarations, or `make`, which gives them for the values that they need. */
export function writeShared(group: Group, boxed: ReadonlySet<Slot>, earlier: readonly SharedModule[]): SharedModule {
  const { file, kind } = group.slots[0]!.top!;
  const all = [...group.own, ...group.imported, ...group.args, ...group.slots];
  const names = giveNames(all);
  const target: Target = { file, kind, names, boxed };
  const out = new EmittedText();
  for (const slot of group.own) if (slot.item.kind === "import") writeImport(out, slot, slot.item, target);
  writeSharedImports(out, group.imported, earlier, target);
  const isStatic = group.args.length === 0;
  const indent = isStatic ? "" : "  ";
  const declarations = inOrder([...group.own, ...group.slots]).filter((slot) => slot.item.kind !== "import");
  const list = group.slots.map((slot) => names.get(slot)!);
  if (!isStatic) {
    const args = group.args.map((slot) => names.get(slot)!).join(", ");
    out.add(kind === "esm" ? `export const make = (${args}) => {\n` : `exports.make = (${args}) => {\n`);
  }
  for (const slot of declarations) writeDeclaration(out, slot, indent, target);
  if (!isStatic) out.add(`  return { ${list.join(", ")} };\n};\n`);
  else if (kind === "esm") out.add(`export { ${list.join(", ")} };\n`);
  else for (const name of list) out.add(`exports.${name} = ${name};\n`);
  const name = moduleName(file, kind, out.toString());
  return { group, names, module: { file, kind, name, text: out } };
}

/** Imports declarations that other modules share. */
export function writeSharedImports(
  out: EmittedText,
  slots: readonly Slot[],
  modules: readonly SharedModule[],
  target: Target,
): void {
  for (const { group, module, names } of modules) {
    const wanted = slots.filter((slot) => group.slots.includes(slot));
    if (wanted.length === 0 || group.args.length > 0) continue;
    const from = JSON.stringify(rebased(`./${module.name}`, module.file, target.file));
    const separator = target.kind === "esm" ? " as " : ": ";
    const list = wanted.map((slot) => {
      const [there, here] = [names.get(slot)!, target.names.get(slot)!];
      return there === here ? here : `${there}${separator}${here}`;
    });
    if (target.kind === "esm") out.add(`import { ${list.join(", ")} } from ${from};\n`);
    else out.add(`const { ${list.join(", ")} } = require(${from});\n`);
  }
}

export function moduleName(file: string, kind: "esm" | "cjs", text: string): string {
  const hash = createHash("sha256").update(text).digest("hex").slice(0, 12);
  return `${stemOf(file)}.sky-${hash}.${kind === "esm" ? "mjs" : "cjs"}`;
}

function stemOf(file: string): string {
  return basename(file, extname(file));
}
