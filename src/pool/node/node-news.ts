import type { SkyEvent } from "../../events/event.ts";

/** An event as a node tells it: the pool adds its name and the time. */
export type NodeNews<E = SkyEvent> = E extends SkyEvent ? Omit<E, "pool" | "at"> : never;
