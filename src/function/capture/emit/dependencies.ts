import { isStretch, type Item, type Slot } from "../slot.ts";

/** The slots that one is made of. */
export function dependencies(item: Item): readonly Slot[] {
  if (isStretch(item)) return item.uses.map((use) => use.slot);
  switch (item.kind) {
    case "fn":
      return [item.fn, item.body];
    case "once":
      return [item.once, item.make, ...(item.id === undefined ? [] : [item.id])];
    case "bound":
      return [item.target, ...item.given];
    case "patch":
      return [item.target, item.data];
    case "inherit":
      return [item.target, item.parent];
    case "register":
      return [item.target, item.register, ...(item.methods === undefined ? [] : Object.values(item.methods))];
    case "member":
    case "alias":
      return [item.of];
    default:
      return [];
  }
}

/** Those of `slots` that reach one of `from`, and `from` itself. */
export function reaching(slots: readonly Slot[], from: Iterable<Slot>): Set<Slot> {
  const found = new Set(from);
  for (let size = -1; size !== found.size;) {
    size = found.size;
    for (const slot of slots)
      if (!found.has(slot) && dependencies(slot.item).some((other) => found.has(other))) found.add(slot);
  }
  return found;
}

/**
 * Functions first, since defining one runs nothing; then whatever is evaluated where it stands (classes with their
 * heritage and static parts, wrapped functions), each after what it needs; at the end what is done to them.
 */
export function inOrder(slots: readonly Slot[]): Slot[] {
  const all = new Set(slots);
  const eager: Slot[] = [];
  const seen = new Set<Slot>();
  const visit = (slot: Slot): void => {
    if (seen.has(slot) || !all.has(slot)) return;
    seen.add(slot);
    for (const other of dependencies(slot.item)) visit(other);
    if (isEager(slot) && !isStatement(slot)) eager.push(slot);
  };
  for (const slot of slots) visit(slot);
  return [...slots.filter((slot) => !isEager(slot)), ...eager, ...slots.filter(isStatement)];
}

/** What is done to a slot, and declares none. */
export function isStatement({ item }: Slot): boolean {
  return item.kind === "patch" || item.kind === "inherit" || item.kind === "register";
}

function isEager({ item }: Slot): boolean {
  if (item.kind === "source") return item.node.type.startsWith("Class");
  return item.kind !== "import" && item.kind !== "value" && item.kind !== "expression";
}
