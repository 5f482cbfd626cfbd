import { isStretch, type Slot } from "../slot.ts";

const RESERVED = new Set(
  (
    "arguments await break case catch class const continue debugger default delete do else enum eval export extends false finally for function if implements import in instanceof " +
    "interface let new null package private protected public return static super switch this throw true try typeof undefined var void while with yield values known make exports module require $parts $at $key $n"
  ).split(" "),
);

/** What each slot is called in one emitted module. */
export type Names = ReadonlyMap<Slot, string>;

/** Gives each slot the name that it had, where no other and no global of the sources in the module has it. */
export function giveNames(slots: Iterable<Slot>, taken: Iterable<string> = []): Names {
  const all = [...slots];
  const used = new Set([...RESERVED, ...taken]);
  for (const { item } of all) {
    if (isStretch(item)) for (const name of item.globals) used.add(name);
    // `const Map = Map` would mean itself.
    if (item.kind === "expression") for (const name of item.text.match(/[\w$]+/g) ?? []) used.add(name);
  }
  const users = usesByName(all);
  const names = new Map<Slot, string>();
  for (const slot of all) {
    const wanted = (slot.top?.name ?? slot.preferred).replaceAll(/[^\w$]/g, "_").replace(/^(?=\d)/, "_") || "value";
    const own = users.get(slot) ?? [];
    // A user that calls it otherwise may have a variable of its own with the new name.
    const clashes = (name: string): boolean => own.some((user) => user.name !== name && user.text.includes(name));
    let name = wanted;
    for (let n = 1; used.has(name) || clashes(name); n++) name = `${wanted}$${n}`;
    used.add(name);
    names.set(slot, name);
  }
  return names;
}

function usesByName(slots: readonly Slot[]): Map<Slot, { readonly name: string; readonly text: string }[]> {
  const found = new Map<Slot, { readonly name: string; readonly text: string }[]>();
  for (const { item } of slots) {
    if (!isStretch(item)) continue;
    const text = item.module.source.slice(item.start, item.end);
    for (const use of item.uses) {
      const list = found.get(use.slot) ?? [];
      list.push({ name: item.module.source.slice(use.start, use.end), text });
      found.set(use.slot, list);
    }
  }
  return found;
}
