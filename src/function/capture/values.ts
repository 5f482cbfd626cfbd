import { HoleCopier } from "./hole-copier.ts";
import { partsOf } from "./paths.ts";
import type { Slot } from "./slot.ts";

/** What the slots hold now, by the names that they have in the emitted module; code in it is left to `fillings`. */
export function readValues(
  slots: readonly Slot[],
  fillings: readonly object[],
  shaped: boolean,
): Record<string, unknown> | undefined {
  if (slots.length === 0) return undefined;
  const index = new Map(fillings.map((item, at) => [item, at]));
  const copier =
    fillings.length === 0 && !shaped ? undefined : new HoleCopier({ indexOf: (value) => index.get(value) });
  const values: Record<string, unknown> = {};
  for (const { reader, emitted } of slots) {
    const part = partsOf(reader!.value, reader!.parts);
    values[emitted!] = copier === undefined ? part : copier.copy(part);
  }
  if (copier === undefined) return values;
  const { fill, classes, props } = copier;
  return { ...values, $fill: fill, $classes: classes, ...(props.length === 0 ? {} : { $props: props }) };
}
