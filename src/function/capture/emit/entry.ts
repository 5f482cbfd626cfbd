import { createHash } from "node:crypto";
import { ownCodec } from "../../../values/registry.ts";
import type { Graph } from "../graph.ts";
import { Path, refuse } from "../refuse.ts";
import { isStretch, type Slot } from "../slot.ts";
import { EmittedText } from "../text.ts";
import { inOrder, isStatement, reaching } from "./dependencies.ts";
import { type Group, groupsOf } from "./groups.ts";
import { type EmittedModule, type SharedModule, writeShared, writeSharedImports } from "./module.ts";
import { giveNames } from "./names.ts";
import { SHARED } from "./shared.ts";
import { rebased, type Target, writeDeclaration, writeImport } from "./write.ts";

type AnyFunction = (...args: never) => unknown;

/** What of a graph stands where. */
export interface Emitted {
  readonly text: EmittedText;
  /** The file that the text lies beside. */
  readonly file: string;
  readonly kind: "esm" | "cjs";
  /** The modules of shared declarations that it imports. */
  readonly modules: readonly EmittedModule[];
  /** The code behind `values.$fill` and `values.$classes`, by index. */
  readonly fillings: readonly object[];
  /** The functions and classes that `make` hands to its second argument, in that order, as they are at home. */
  readonly known: readonly AnyFunction[];
}

/**
 * Writes the entry module: imports, then what needs no values, then `make(values, known)`, which gives the function.
 * CommonJS where the function's home is CommonJS, so that its imports mean what they mean at home.
 */
export function emit(graph: Graph, root: Slot, near?: Home): Emitted {
  const known = knownSlots(graph);
  const written = write(graph, homeOf(root, graph, near), (out, { kind }, nameOf, body, isDynamic) => {
    // Captured instances of such classes are decoded before `make` is called.
    const early = known.filter(({ live }) => ownCodec(live as never) !== undefined);
    if (early.length > 0) {
      const list = known.map((one) => (isDynamic(one.slot) ? "undefined" : knownName(one, nameOf)));
      out.add(`${kind === "esm" ? "export const known =" : "exports.known ="} [${list.join(", ")}];\n`);
    }
    out.add(kind === "esm" ? "export const make = (values, known) => {\n" : "exports.make = (values, known) => {\n");
    body();
    if (known.length > 0) out.add(`  known?.([${known.map((one) => knownName(one, nameOf)).join(", ")}]);\n`);
    out.add(`  return ${nameOf(root)};\n};\n`);
  });
  return { ...written, known: known.map(({ live }) => live) };
}

/** The file that a module lies beside, and what that is. */
export interface Home {
  readonly file: string;
  readonly kind: "esm" | "cjs";
}

export type Written = Omit<Emitted, "known">;

/** Writes a module for a graph; `around` puts what needs values, which `body` writes, into a function of `values`. */
export function write(
  graph: Graph,
  home: Home,
  around: (
    out: EmittedText,
    target: Target,
    nameOf: (slot: Slot) => string,
    body: () => void,
    isDynamic: (slot: Slot) => boolean,
  ) => void,
): Written {
  const groups = groupsOf(graph);
  const boxed = boxedIn(graph, groups);
  const modules: SharedModule[] = [];
  for (const group of groups) modules.push(writeShared(group, boxed, modules));
  const shared = new Set(groups.flatMap((group) => group.slots));
  const variable = new Set(groups.flatMap((group) => group.args).filter((slot) => slot.item.kind === "value"));
  const taken = modules.map((_, index) => `make$${index}`);
  const names = giveNames(graph.slots, ["$once", "$named", "$state", "$all", ...taken]);
  for (const [slot, name] of names) slot.emitted = name;
  const target: Target = { ...home, names, boxed };
  const dynamic = dynamicSlots(graph);
  const out = new EmittedText();
  const order = inOrder(graph.slots).filter((slot) => !shared.has(slot));
  const nameOf = (slot: Slot): string => names.get(slot)!;
  for (const slot of order) if (slot.item.kind === "import") writeImport(out, slot, slot.item, target);
  writeSharedImports(out, [...shared], modules, target);
  const hasNamed = graph.slots.some(({ item }) => item.kind === "once" && item.id !== undefined);
  writeMakers(out, modules, hasNamed, target);
  for (const slot of order)
    if (slot.item.kind !== "import" && !dynamic.has(slot)) writeDeclaration(out, slot, "", target);
  const fillings = [...graph.values.fillings.keys()];
  around(
    out,
    target,
    nameOf,
    () => {
      for (const slot of graph.values.slots) writeValue(out, slot, nameOf(slot), variable.has(slot), boxed.has(slot));
      for (const [index, { group, names: there }] of modules.entries()) {
        if (group.args.length === 0) continue;
        const list = group.slots.map((slot) => `${there.get(slot)}: ${nameOf(slot)}`);
        out.add(`  const { ${list.join(", ")} } = $once(make$${index}, [${group.args.map(nameOf).join(", ")}]);\n`);
      }
      const later = order.filter(
        (slot) => slot.item.kind !== "value" && slot.item.kind !== "import" && dynamic.has(slot),
      );
      for (const slot of later) if (!isStatement(slot)) writeDeclaration(out, slot, "  ", target);
      if (fillings.length > 0 || graph.values.shaped)
        writeFilling(out, [...graph.values.fillings.values()].map(nameOf));
      for (const slot of later) if (isStatement(slot)) writeDeclaration(out, slot, "  ", target);
    },
    (slot) => dynamic.has(slot),
  );
  return { text: out, ...home, modules: modules.map(({ module }) => module), fillings };
}

/** The file and kind of the module that the root is from. */
function homeOf(root: Slot, graph: Graph, near: Home | undefined): Home {
  let { item } = root;
  for (;;) {
    if (item.kind === "bound") item = item.target.item;
    else if (item.kind === "fn") item = item.body.item;
    else if (item.kind === "once") item = item.make.item;
    else break;
  }
  if (isStretch(item)) return { file: item.module.file, kind: item.module.kind };
  // Something that is imported, or that every program has: any place of the program will do.
  const file = graph.file ?? near?.file;
  if (file === undefined) {
    const why = "is no function of this program, but one that every program has";
    const hint = "Wrap it: sky.fn((x: number) => Math.sqrt(x)).";
    throw refuse("SKY_CAPTURE_UNSUPPORTED", new Path([root.preferred], undefined), "native code", why, hint);
  }
  return { file, kind: near?.file === file ? near.kind : /\.c[jt]s$/.test(file) ? "cjs" : "esm" };
}

/** Imports what makes the declarations that need values. */
function writeMakers(out: EmittedText, modules: readonly SharedModule[], hasNamed: boolean, target: Target): void {
  const dynamic = modules.map((_, index) => index).filter((index) => modules[index]!.group.args.length > 0);
  const { kind } = target;
  if (dynamic.length > 0 || hasNamed) {
    out.add(
      kind === "esm"
        ? `import { named as $named, once as $once, state as $state } from "${SHARED}";\n`
        : `const { named: $named, once: $once, state: $state } = require("${SHARED}");\n`,
    );
  }
  for (const index of dynamic) {
    const { module } = modules[index]!;
    const from = JSON.stringify(rebased(`./${module.name}`, module.file, target.file));
    if (kind === "esm") out.add(`import { make as make$${index} } from ${from};\n`);
    else out.add(`const { make: make$${index} } = require(${from});\n`);
  }
}

/** A variable that shared declarations see is one and the same for all functions, while it holds the same at home. */
function writeValue(out: EmittedText, slot: Slot, name: string, isShared: boolean, isBoxed: boolean): void {
  const value = `values[${JSON.stringify(name)}]`;
  const { top, constant, reader } = slot;
  const isPrimitive = constant && (typeof reader!.value !== "object" || reader!.value === null);
  if (!isShared || top === undefined || (isPrimitive && !isBoxed)) {
    out.add(`  ${constant ? "const" : "let"} ${name} = ${value};\n`);
    return;
  }
  const variable = `${createHash("sha256").update(top.file).digest("hex").slice(0, 12)} ${top.name} `;
  out.add(`  const ${name} = $state(${JSON.stringify(variable)}, ${value}${isBoxed ? ", true" : ""});\n`);
}

/** Variables that several modules see and one assigns. */
function boxedIn(graph: Graph, groups: readonly Group[]): Set<Slot> {
  const seen = new Set(groups.flatMap((group) => group.args).filter((slot) => slot.item.kind === "value"));
  const written = [...graph.stretches()].flatMap((stretch) => stretch.uses).filter((use) => use.writes);
  return new Set(written.map((use) => use.slot).filter((slot) => seen.has(slot)));
}

/** Slots that reach a value, and so are made anew for each set of values. */
function dynamicSlots(graph: Graph): Set<Slot> {
  return reaching(
    graph.slots,
    graph.slots.filter((slot) => slot.item.kind === "value" || slot.item.kind === "alias"),
  );
}

interface KnownSlot {
  readonly slot: Slot;
  readonly live: AnyFunction;
  /** The export of a module that the slot is. */
  readonly member?: string;
}

function knownName({ slot, member }: KnownSlot, nameOf: (slot: Slot) => string): string {
  return member === undefined ? nameOf(slot) : `${nameOf(slot)}[${JSON.stringify(member)}]`;
}

/** Functions and classes of which there is one in the program: both ends know them by their index. */
function knownSlots(graph: Graph): KnownSlot[] {
  const members = membersUsed(graph);
  return graph.slots.flatMap((slot): KnownSlot[] => {
    const { item, live, top } = slot;
    if (slot.exports !== undefined) return members.get(slot) ?? [];
    const isOne = top !== undefined || item.kind === "import" || item.kind === "member" || item.kind === "expression";
    return live !== undefined && isOne ? [{ slot, live }] : [];
  });
}

/** Functions and classes that are read off whole modules: what compilers to CommonJS make of named imports. */
function membersUsed(graph: Graph): Map<Slot, KnownSlot[]> {
  const found = new Map<Slot, KnownSlot[]>();
  for (const { uses } of graph.stretches()) {
    for (const { slot, paths } of uses) {
      const member = paths[0]?.[0];
      const live = member === undefined ? undefined : slot.exports?.[member];
      const list = found.get(slot) ?? [];
      if (member === undefined || typeof live !== "function" || list.some((one) => one.live === live)) continue;
      found.set(slot, [...list, { slot, live: live as AnyFunction, member }]);
    }
  }
  return found;
}

function writeFilling(out: EmittedText, names: readonly string[]): void {
  // Names that no variable has: the list names the program's own.
  out.add(`  const $parts = [${names.join(", ")}];\n`);
  out.add("  for (const [$at, $n] of values.$classes ?? []) Object.setPrototypeOf($at, $parts[$n].prototype);\n");
  out.add("  for (const [$at, $key, $n] of values.$fill ?? []) {\n");
  out.add("    if ($at instanceof Map) $at.set($key, $parts[$n]); else if ($at instanceof Set) $at.add($parts[$n]);\n");
  out.add("    else $at[$key] = $parts[$n];\n  }\n");
  const options = "value: $more[$key], writable: true, enumerable: true, configurable: true";
  out.add("  for (const [$at, $more] of values.$props ?? [])\n");
  out.add(`    for (const $key of Object.keys($more)) Object.defineProperty($at, $key, { ${options} });\n`);
}
