import type { FromSlots, ToSlots } from "../messages.ts";

/** What goes to a process. `cut`: items from this number on, counted over all it was given, are not its own any more. */
export type ToProcess = ToSlots | { readonly type: "cut"; readonly limit: number };

/** What comes from it. `cut`: it has seen that. */
export type FromProcess = FromSlots | { readonly type: "cut" };
