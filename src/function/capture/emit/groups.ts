import type { Graph } from "../graph.ts";
import { WHOLE } from "../paths.ts";
import { partsUsed } from "../value-slots.ts";
import { isStretch, type BoundUse, type Slot } from "../slot.ts";
import { dependencies, reaching } from "./dependencies.ts";
import { isClass } from "./write.ts";

/** Declarations that need each other, and so are one module that all functions share. */
export interface Group {
  /** What it declares, as at home. */
  readonly slots: readonly Slot[];
  /** What it needs besides that stands in the module itself: imports, and what every program has. */
  readonly own: readonly Slot[];
  /** What it needs from other groups that need no values. */
  readonly imported: readonly Slot[];
  /** What it is given: variables, and what other groups make of such; none where it needs no values. */
  readonly args: readonly Slot[];
}

/**
 * Classes, symbols and `sky.once` things that the top level of a user's module declares must be the same for all
 * functions: they are put into modules of their own with the functions that they need. In the order in which each needs
 * only earlier ones.
 */
export function groupsOf(graph: Graph): Group[] {
  const blocked = reaching(
    graph.slots,
    graph.slots.filter((slot) => !canBeShared(slot, graph)),
  );
  const shared = new Set<Slot>();
  for (const slot of graph.slots) if (isRoot(slot) && !blocked.has(slot)) addDeclared(slot, shared);
  const components = componentsOf([...shared].filter((slot) => slot.item.kind !== "value"));
  splitValues(graph, components);
  const dynamic = reaching(
    graph.slots,
    graph.slots.filter((slot) => slot.item.kind === "value"),
  );
  return components.map((slots) => groupOf(slots, dynamic));
}

function isRoot(slot: Slot): boolean {
  const { item } = slot;
  if (slot.top === undefined) return false;
  return isClass(slot) || item.kind === "once" || (item.kind === "expression" && item.unique === true);
}

function canBeShared(slot: Slot, graph: Graph): boolean {
  const { item } = slot;
  switch (item.kind) {
    case "import":
    case "text":
    case "member":
      return true;
    case "expression":
      return item.unique !== true || slot.top !== undefined;
    case "source":
    case "fn":
      return slot.top !== undefined;
    case "once":
      return slot.top !== undefined && item.id === undefined;
    case "value":
      return slot.top !== undefined && !graph.values.bound.has(slot);
    default:
      return false;
  }
}

/** Whether a module of its own, or a variable, has it, so that there is one; anything else each module makes itself. */
function isDeclared({ item }: Slot): boolean {
  return item.kind === "expression" ? item.unique === true : /^(source|fn|once|value)$/.test(item.kind);
}

function addDeclared(slot: Slot, shared: Set<Slot>): void {
  for (const reached of declaredBehind(slot)) {
    if (shared.has(reached)) continue;
    shared.add(reached);
    addDeclared(reached, shared);
  }
  shared.add(slot);
}

/** The declared slots that one needs, directly or through what each module makes itself. */
function declaredBehind(slot: Slot, own?: Set<Slot>): Set<Slot> {
  const found = new Set<Slot>();
  const seen = new Set<Slot>();
  const visit = (at: Slot): void => {
    for (const next of dependencies(at.item)) {
      if (isDeclared(next)) found.add(next);
      else if (!seen.has(next)) {
        seen.add(next);
        own?.add(next);
        visit(next);
      }
    }
  };
  visit(slot);
  return found;
}

/** Strongly connected components, each after those that it needs (Tarjan). */
function componentsOf(slots: readonly Slot[]): Slot[][] {
  const all = new Set(slots);
  const index = new Map<Slot, number>();
  const low = new Map<Slot, number>();
  const stack: Slot[] = [];
  const open = new Set<Slot>();
  const found: Slot[][] = [];
  const visit = (slot: Slot): void => {
    index.set(slot, index.size);
    low.set(slot, index.get(slot)!);
    stack.push(slot);
    open.add(slot);
    for (const next of declaredBehind(slot)) {
      if (!all.has(next)) continue;
      if (!index.has(next)) {
        visit(next);
        low.set(slot, Math.min(low.get(slot)!, low.get(next)!));
      } else if (open.has(next)) low.set(slot, Math.min(low.get(slot)!, index.get(next)!));
    }
    if (low.get(slot) !== index.get(slot)) return;
    const component: Slot[] = [];
    for (let member: Slot | undefined; member !== slot;) {
      member = stack.pop()!;
      open.delete(member);
      component.push(member);
    }
    found.push(component.sort(bySource));
  };
  for (const slot of slots) if (!index.has(slot)) visit(slot);
  return found;
}

/** The same order in whatever order a function meets them: the module's text must not depend on that. */
function bySource(a: Slot, b: Slot): number {
  const key = (slot: Slot): string => `${slot.top!.file}\0${startOf(slot)}\0${slot.top!.name}`;
  return key(a) < key(b) ? -1 : 1;
}

function startOf({ item }: Slot): string {
  return (isStretch(item) ? item.start : 0).toString().padStart(9, "0");
}

/** Gives each module only the parts that it reads of an object that is read through fixed paths. */
function splitValues(graph: Graph, components: readonly Slot[][]): void {
  const modules = components.map((component) => usesIn(component));
  const inModules = new Set(modules.flat());
  const rest = [...graph.stretches()].flatMap((stretch) => stretch.uses).filter((use) => !inModules.has(use));
  for (const slot of [...graph.values.slots]) {
    const reader = slot.reader!;
    if (reader.parts === WHOLE || slot.top === undefined || isInText(slot, graph)) continue;
    const mine = rest.filter((use) => use.slot === slot);
    for (const uses of modules) {
      const own = uses.filter((use) => use.slot === slot);
      if (own.length === 0) continue;
      const part = graph.values.add(slot.preferred, slot.constant, { ...reader, parts: partsUsed(own) });
      part.top = slot.top;
      for (const use of own) use.slot = part;
    }
    if (mine.length > 0) reader.parts = partsUsed(mine);
    else graph.values.drop(slot);
  }
}

/** A text stands in several modules, so what it uses can't be split. */
function isInText(slot: Slot, graph: Graph): boolean {
  return graph.slots.some(({ item }) => item.kind === "text" && item.uses.some((use) => use.slot === slot));
}

/** Every use of a variable in what one module holds. */
function usesIn(component: readonly Slot[]): BoundUse[] {
  const own = new Set<Slot>();
  for (const slot of component) declaredBehind(slot, own);
  return [...component, ...own].flatMap(({ item }) => (isStretch(item) ? item.uses : []));
}

function groupOf(slots: readonly Slot[], dynamic: ReadonlySet<Slot>): Group {
  const own = new Set<Slot>();
  const needed = new Set<Slot>();
  for (const slot of slots)
    for (const other of declaredBehind(slot, own)) if (!slots.includes(other)) needed.add(other);
  const others = [...needed].sort(bySource);
  return {
    slots,
    own: [...own],
    imported: others.filter((slot) => !dynamic.has(slot)),
    args: others.filter((slot) => dynamic.has(slot)),
  };
}
